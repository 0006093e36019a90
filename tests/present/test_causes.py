"""The rows of a cluster: one a cause, worst first, with what uses the roles; the rest is folded."""

import re
from datetime import UTC, datetime

import pytest

from ekstui.library import Library
from ekstui.library.cluster_answers import ClusterAnswer, causes, cluster_answer, findings_worst_first
from ekstui.present.blocks import Line
from ekstui.present.cluster_report import areas_line, cluster_blocks, counts_line
from ekstui.present.rendering import lay_out, lines, styled_line
from ekstui.present.styled import cells, plain

NOW = datetime(2026, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def prod(demo: Library) -> ClusterAnswer:
    return cluster_answer(demo, "prod")


def page(answer: ClusterAnswer, width: int = 240) -> list[str]:
    return list(lines(cluster_blocks(answer, NOW, NOW, ()), width, colours=False, whole_tables=False))


def test_roles_with_the_same_advice_are_one_row_and_nothing_is_lost(prod: ClusterAnswer) -> None:
    rows = causes(prod)
    assert sorted(map(repr, [case for cause in rows for case in cause.cases])) == sorted(
        map(repr, findings_worst_first(prod))
    )
    assert [cause.title for cause in rows].count("CNI policy on node role") == 1
    (shared_line,) = (line for line in page(prod) if "CNI policy on node role" in line)
    assert "KarpenterNodeRole-prod, prod-hyperpod, +1" in shared_line


def test_the_order_is_that_of_the_signs(prod: ClusterAnswer) -> None:
    signs = [line[0] for line in page(prod) if re.match(r"[✗!·] ", line)]
    assert len(signs) == len(causes(prod))
    assert signs == sorted(signs, key="✗!·".index)


def test_no_title_is_cut_in_the_narrowest_terminal(prod: ClusterAnswer) -> None:
    room = 60 - 3  # as a terminal of 60 columns leaves
    screen_lines = [plain(line.line) for line in lay_out(cluster_blocks(prod, NOW, NOW, ()), room, "app")]
    for cause in causes(prod):
        assert any(f"  {cause.title} " in line for line in screen_lines), cause.title
    assert max(map(cells, screen_lines)) <= room
    assert "Pod\N{NO-BREAK SPACE}Identity\N{NO-BREAK SPACE}✗✗!✓✓" in text_of(areas_line(prod))


def test_what_eks_reports_and_the_finding_that_explains_it_are_one_row(prod: ClusterAnswer) -> None:
    (row,) = (line for line in page(prod) if "amazon-cloudwatch-observability" in line)
    assert row.startswith("✗  lacks CloudWatchAgentServerPolicy")
    assert "(EKS says so too)" in row


def text_of(line: Line) -> str:
    return plain(styled_line(line, "app"))


def test_each_area_has_a_sign_a_role_and_counts_them_where_they_are_many(prod: ClusterAnswer) -> None:
    assert text_of(counts_line(prod)) == "prod 1.34   ✗ 8 problems   ! 9 advice   · 7 notes   EKS reports 2"
    nodes = [role for role in prod.roles if any("node" in use.kind or use.kind == "fargate" for use in role.uses)]
    assert len(nodes) == 5
    assert "nodes\N{NO-BREAK SPACE}!!!·✓" in text_of(areas_line(prod))
    large_cluster = prod._replace(roles=prod.roles * 9)
    assert "nodes\N{NO-BREAK SPACE}!27\N{NO-BREAK SPACE}·9\N{NO-BREAK SPACE}✓9" in text_of(areas_line(large_cluster))
    unread = prod._replace(roles=(nodes[0]._replace(subject=None, findings=()),), not_judged=("its 1 role",))
    assert "nodes\N{NO-BREAK SPACE}?" in text_of(areas_line(unread))
    assert "✗ 3+ problems" in text_of(counts_line(unread))


def test_folded_it_is_a_screenful_and_each_row_one_line_at_any_width(prod: ClusterAnswer) -> None:
    for width in (60, 78, 118, 198):
        laid = list(lay_out(cluster_blocks(prod, NOW, NOW, ()), width, "app"))
        assert all(cells(plain(row.line)) <= width for row in laid)
        rows = [row for row in laid if isinstance(row.key, tuple) and "cause" in row.key]
        assert len(rows) == len(causes(prod))
        # The signs of the areas take a line more where it is narrow.
        assert len(laid) <= len(rows) + (13 if width > 60 else 14)
    assert not any("aws iam" in line for line in page(prod))


def test_unfolded_a_row_has_its_sentence_its_evidence_and_its_command(prod: ClusterAnswer) -> None:
    key = next(row.key for row in lay_out(cluster_blocks(prod, NOW, NOW, ()), 118, "app") if "cause" in str(row.key))
    (cause,) = (cause for cause in causes(prod) if ("cause", cause.code, cause.title) == key)
    open_page = "\n".join(plain(row.line) for row in lay_out(cluster_blocks(prod, NOW, NOW, {key}), 400, "app"))
    finding = cause.cases[0][1]
    for part in (finding.text, *finding.evidence, *(command.text for command in finding.commands)):
        assert part in open_page
