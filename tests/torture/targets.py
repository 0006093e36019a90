"""What fuzzers feed: everything that reads foreign bytes, each as a function that reads them or is refused.

Only our own errors may come out, with one sentence each. `fuzz.py` drives them by coverage, `test_targets.py` in a short
form by hypothesis.
"""

import io
import json
import lzma
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

from ekstui.change.comparison import changes
from ekstui.change.policy import Policy, VersionInfo
from ekstui.denial.parsing import parse_denial
from ekstui.eks.trust import trust_in_words
from ekstui.eks.uses import uses_in
from ekstui.errors import EkstuiError
from ekstui.files import assets
from ekstui.iam.document import Document, parse_text
from ekstui.iam.evaluation import AppliedPolicy, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.iam.summary import remaining, services_in
from ekstui.iam.text import clean
from ekstui.library import Library
from ekstui.library.maintenance import fill_cache
from ekstui.library.notation import parse_policy_or_range, parse_sides
from ekstui.settings import effective
from ekstui.sources.account_file import read_account_file
from ekstui.sources.archives import read_collection
from ekstui.sources.corpus import Corpus
from ekstui.sources.policy_file import document_of
from ekstui.sources.repository import ChangedFile
from ekstui.sources.written.reading import sides_of
from ekstui.store import accounts
from ekstui.store.policy_store import PolicyStore
from tests.denial.test_denial import DECODED, MESSAGES, event
from tests.support.account_files import account_page, role_json
from tests.support.accounts import snapshot
from tests.torture.hostile import RAW

KNOWN = {"Alpha": Policy("Alpha", "arn:aws:iam::aws:policy/Alpha", 1, (VersionInfo(1, None),))}

REQUESTS = (
    Request("ec2:CreateTags", ("arn:aws:ec2:eu-west-1:111122223333:volume/v",), None, {"aws:RequestTag/a": ("b",)}, frozenset()),
    Request("s3:GetObject", ("*",), "arn:aws:iam::111122223333:user/a", {}, frozenset({"aws:SourceVpce"})),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that reads foreign bytes."""

    read: Callable[[bytes], object]
    """Reads them and does what front ends do with what was read."""
    seeds: Callable[[], list[bytes]]
    """Good inputs to begin with."""

    def survives(self, data: bytes) -> bool:
        """Return whether the bytes could be read; what cannot be is refused with one sentence that is safe to show."""
        try:
            self.read(data)
        except EkstuiError as error:
            assert error.message
            assert not RAW.search(clean(str(error)).replace("\n", ""))
            return False
        return True


def _document(data: bytes) -> None:
    document = parse_text(data)
    for service in services_in(document):
        assert service.actions is not None
    remaining(document)


def _expansion(data: bytes) -> None:
    for pattern in data.decode("utf-8", "replace").split("\n")[:20]:
        for action in reference().expand(pattern):
            assert reference().find(action) is not None


def _difference(data: bytes) -> None:
    before, _, after = data.partition(b"\0")
    document_before, document_after = parse_text(before), parse_text(after or before)
    assert (changes(document_before, document_after).kind == "none") >= (document_before == document_after)


def _evaluation(data: bytes) -> None:
    policies = [AppliedPolicy("p", None, parse_text(data))]
    for request in REQUESTS:
        evaluate(request, policies, None, (), reference())


def _denial(data: bytes) -> None:
    assert ":" in parse_denial(data.decode("utf-8", "surrogateescape")).action


def _where(data: bytes) -> None:
    words = data.decode("utf-8", "replace").split("\n")
    parse_policy_or_range(words[0])
    parse_sides(words[:2])


def _policy_file(data: bytes) -> Document:
    return document_of(data, "p.json")


def _in_repository(path: str) -> Callable[[bytes], object]:
    return lambda data: sides_of(ChangedFile(path, None, data))


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="ekstui-fuzz-"))


def _written(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def _account(data: bytes) -> None:
    account = read_account_file(_written("account.json", data))
    uses_in(account)
    for role in account.roles:
        trust_in_words(role.trust, account.identity.account)


def _answers(data: bytes) -> None:
    read_collection(_written("answers/Alpha-v1.json", data).parent, KNOWN)


def _package(data: bytes) -> None:
    read_collection(_written("package.json", data), KNOWN)


def _tarball(data: bytes) -> None:
    read_collection(_written("package.tgz", data), KNOWN)


def _corpus_lines(data: bytes) -> None:
    _corpus_file(lzma.compress(data, preset=0))


def _corpus_file(data: bytes) -> None:
    folder = _written("corpus/corpus.jsonl.xz", data).parent
    (folder / "manifest.json").write_bytes((assets() / "manifest.json").read_bytes())
    for history in islice(Corpus(folder).histories(), 20):
        assert history.policy.name


def _manifest(data: bytes) -> None:
    Corpus(_written("manifest/manifest.json", data).parent).manifest()


def _kept_account(data: bytes) -> None:
    path = _written("accounts/aws-111122223333.db", data)
    path.chmod(0o600)
    path.parent.chmod(0o700)
    accounts.load(path.parent, "aws", "111122223333")


def _kept_policies(data: bytes) -> None:
    folder = _written("cache/policies.db", data).parent
    library = Library(small_corpus(), PolicyStore.in_folder(folder))
    entries = library.policies("eks")
    library.document_json(entries[0].policy, entries[0].policy.default_version)
    assert len(entries) == FAMILY
    for aside in folder.glob("*.aside-*"):
        aside.unlink()


def _settings(data: bytes) -> None:
    effective(_written("config.toml", data), {})


FAMILY = 3


@cache
def small_corpus() -> Corpus:
    corpus = Corpus.bundled()
    with lzma.open(corpus.folder / "corpus.jsonl.xz") as lines:
        few_lines = b"".join(islice(lines, FAMILY))
    folder = _written("small/corpus.jsonl.xz", lzma.compress(few_lines)).parent
    manifest = json.loads((corpus.folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"policies": FAMILY, "family": FAMILY}))
    return Corpus(folder)


def _documents() -> list[bytes]:
    with lzma.open(assets() / "corpus.jsonl.xz") as lines:
        return [json.dumps(json.loads(line)["versions"][-1]["document"]).encode() for line in islice(lines, 12)]


def _repository_files() -> list[bytes]:
    document = json.loads(_documents()[0])
    change = {"before": None, "after": {"policy": json.dumps(document)}, "after_unknown": {"policy": True}}
    plan = {"resource_changes": [{"address": "a", "type": "aws_iam_policy", "change": change}], "format_version": "1.2"}
    resource = {"Type": "AWS::IAM::ManagedPolicy", "Condition": "C", "Properties": {"PolicyDocument": document}}
    template = {"Resources": {"P": resource}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}}
    return [*_documents()[:2], json.dumps(plan).encode(), json.dumps(template).encode()]


def _templates() -> list[bytes]:
    return [
        b"""Resources:
  R: &r
    Type: AWS::IAM::Role
    Properties: {Policies: [{PolicyName: !Sub "${AWS::StackName}-p", PolicyDocument: !If [C, {Statement: []}, !Ref A]}]}
  S: *r
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Allow, Action: "s3:\\u0047etObject", Resource: 0x1F}}
""",
        b"""Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: !Sub "${AWS::StackName}-p"
      PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Allow, Action: "s3:GetObject", Resource: "*"}}
""",
    ]


def _pairs() -> list[bytes]:
    documents = _documents()
    return [before + b"\0" + after for before, after in pairwise(documents)]


def _messages() -> list[bytes]:
    texts = [text for text, *_ in MESSAGES] + [json.dumps(event()), json.dumps(DECODED)]
    return [text.encode("utf-8", "replace") for text in texts]


def _accounts() -> list[bytes]:
    return [json.dumps(account_page(role_json("a"), role_json("b"))).encode()]


def _packages() -> list[bytes]:
    document = json.loads(_documents()[0])
    version = {"createdDate": "2019-01-01T00:00:00.000Z", "document": document}
    return [
        json.dumps(
            {
                "Alpha": {
                    "arn": "arn:aws:iam::aws:policy/Alpha",
                    "latestVersionId": "v2",
                    "versionsCount": 2,
                    "createdDate": "2019-01-01T00:00:00.000Z",
                    "lastUpdatedDate": "2026-09-01T00:00:00.000Z",
                    "versions": {"v1": version, "v2": version},
                }
            }
        ).encode()
    ]


def _tarballs() -> list[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in (
            ("package/dist/managedPolicies.json", _packages()[0]),
            ("package/package.json", b'{"version":"1"}'),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return [buffer.getvalue()]


def _one_answer() -> list[bytes]:
    version = {"Document": json.loads(_documents()[0]), "VersionId": "v1", "IsDefaultVersion": True}
    return [json.dumps({"PolicyVersion": version}).encode()]


def _lines() -> list[bytes]:
    with lzma.open(assets() / "corpus.jsonl.xz") as lines:
        return [b"".join(islice(lines, 2))]


def _stored_account() -> list[bytes]:
    folder = _folder() / "made"
    accounts.store(folder, snapshot())
    return [(folder / "aws-111122223333.db").read_bytes()]


def _stored_policies() -> list[bytes]:
    folder = _folder() / "made-cache"
    library = Library(small_corpus(), PolicyStore.in_folder(folder))
    fill_cache(library)
    return [(folder / "policies.db").read_bytes()]


def _patterns() -> list[bytes]:
    return [b"s3:Get*", b"ec2:*Tags*\n*:*\neks:?escribe*"]


TARGETS: dict[str, Target] = {
    "document": Target(_document, _documents),
    "expansion": Target(_expansion, _patterns),
    "difference": Target(_difference, _pairs),
    "evaluation": Target(_evaluation, _documents),
    "denial": Target(_denial, _messages),
    "where": Target(_where, lambda: [b"AmazonEKS_CNI_Policy@v5..v6", b"role:x\n./p.json"]),
    "policy file": Target(_policy_file, lambda: [*_one_answer(), *_documents()[:2]]),
    "JSON of a repository": Target(_in_repository("p.json"), _repository_files),
    "YAML of a repository": Target(_in_repository("t.yaml"), _templates),
    "account file": Target(_account, _accounts),
    "answers of get-policy-version": Target(_answers, _one_answer),
    "npm package, JSON": Target(_package, _packages),
    "npm package, tarball": Target(_tarball, _tarballs),
    "corpus, lines": Target(_corpus_lines, _lines),
    "corpus, xz": Target(_corpus_file, lambda: [lzma.compress(_lines()[0])]),
    "corpus, manifest": Target(_manifest, lambda: [(assets() / "manifest.json").read_bytes()]),
    "stored account": Target(_kept_account, _stored_account),
    "stored policies": Target(_kept_policies, _stored_policies),
    "settings": Target(_settings, lambda: [b'theme = "nord"\n[keys]\n"app.quit" = "ctrl+q"\n']),
}
