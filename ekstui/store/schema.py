"""The schema of policies.db, as the migrations that make it."""

APPLICATION_ID = 0x454B5331
"""`EKS1` in the file's header."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # What is held of a partition, and how far its filling from the corpus has come.
        """
        CREATE TABLE holding (
            partition  TEXT PRIMARY KEY,
            source     TEXT NOT NULL,             -- what knows of the newest changes
            known_until TEXT NOT NULL,            -- ISO 8601, UTC
            synced_at  TEXT,                      -- ISO 8601, UTC; null before the first sync
            corpus     TEXT NOT NULL DEFAULT '',  -- SHA-256 of the corpus that fills it
            stored     INTEGER NOT NULL DEFAULT 0,-- policies of that corpus stored so far
            total      INTEGER NOT NULL DEFAULT 0,-- policies that the corpus has
            seal       INTEGER NOT NULL           -- checksum of all of it
        ) STRICT
        """,
        """
        CREATE TABLE policy (
            id         INTEGER PRIMARY KEY,
            partition  TEXT NOT NULL,
            name       TEXT NOT NULL,
            arn        TEXT NOT NULL,
            default_version INTEGER NOT NULL,
            family     INTEGER,                   -- place in the EKS family, or null
            withdrawn  INTEGER NOT NULL DEFAULT 0,
            source     TEXT NOT NULL,
            authority  TEXT NOT NULL,             -- aws | archive: who said which version is the default
            as_of      TEXT NOT NULL,             -- until when that is known
            fetched_at TEXT NOT NULL,
            seal       INTEGER NOT NULL,          -- checksum of all of it and of the versions' numbers and times
            UNIQUE (partition, name)
        ) STRICT
        """,
        """
        CREATE TABLE version (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            number     INTEGER NOT NULL,
            created    TEXT,                      -- ISO 8601, UTC; null where nobody knows
            source     TEXT NOT NULL,
            authority  TEXT NOT NULL,             -- aws | archive: who said when it was created
            fetched_at TEXT NOT NULL,
            PRIMARY KEY (policy, number)
        ) STRICT, WITHOUT ROWID
        """,
        # How many rows there are of each kind, so that a missing one is noticed.
        """
        CREATE TABLE census (
            subject    TEXT PRIMARY KEY,
            count      INTEGER NOT NULL,
            seals      INTEGER NOT NULL,          -- sum of the rows' seals
            seal       INTEGER NOT NULL
        ) STRICT
        """,
        # Apart from the versions, so that the list reads no document's pages.
        """
        CREATE TABLE document (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            number     INTEGER NOT NULL,
            text       BLOB NOT NULL,             -- zlib of the JSON as IAM has it
            seal       INTEGER NOT NULL,          -- checksum of the policy's name, the number and the text
            PRIMARY KEY (policy, number)
        ) STRICT
        """,
    ),
    (
        # What an action pattern of a document is, once for all the policies that have it.
        """
        CREATE TABLE target (
            id         INTEGER PRIMARY KEY,
            effect     TEXT NOT NULL,
            element    TEXT NOT NULL,             -- Action | NotAction
            service    TEXT NOT NULL,             -- lower case, or * where any may be meant
            actions    TEXT NOT NULL,             -- as written, one to a line
            uses       INTEGER NOT NULL DEFAULT 0,-- how many policies have it, once the index is whole
            seal       INTEGER NOT NULL DEFAULT 0,
            UNIQUE (effect, element, actions)
        ) STRICT
        """,
        "CREATE INDEX target_service ON target (service)",
        """
        CREATE TABLE use (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            target     INTEGER NOT NULL REFERENCES target (id),
            versions   TEXT NOT NULL,             -- those that have it, such as 1-4,6
            statements TEXT NOT NULL,             -- places in the default version's document
            seal       INTEGER NOT NULL,          -- checksum of the target and of the row
            PRIMARY KEY (policy, target)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX use_target ON use (target)",
        """
        CREATE TABLE statement (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            place      INTEGER NOT NULL,          -- in the default version's document, from 0
            text       TEXT NOT NULL,             -- its JSON without the actions
            seal       INTEGER NOT NULL,
            PRIMARY KEY (policy, place)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE step (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            version    INTEGER NOT NULL,
            previous   INTEGER NOT NULL,          -- the known version before it
            created    TEXT,                      -- as in version
            kind       TEXT NOT NULL,
            reach      TEXT NOT NULL,
            added      INTEGER NOT NULL,
            removed    INTEGER NOT NULL,
            changed    INTEGER NOT NULL,
            seal       INTEGER NOT NULL,
            PRIMARY KEY (policy, version)
        ) STRICT, WITHOUT ROWID
        """,
        # Which policies the four tables above are right for.
        """
        CREATE TABLE indexed (
            policy     INTEGER PRIMARY KEY REFERENCES policy (id),
            seal       INTEGER NOT NULL,          -- the policy's, when it was indexed
            judges     TEXT NOT NULL              -- what reach was judged by: the versions of reference and ekstui
        ) STRICT
        """,
    ),
    (
        # The first version of a policy has a step too, with nothing before it: what is indexed lacks it.
        "DROP TABLE step",
        """
        CREATE TABLE step (
            policy     INTEGER NOT NULL REFERENCES policy (id),
            version    INTEGER NOT NULL,
            previous   INTEGER,                   -- the known version before it; null for the first
            created    TEXT,                      -- as in version
            kind       TEXT NOT NULL,
            reach      TEXT,                      -- null for the first
            added      INTEGER NOT NULL,
            removed    INTEGER NOT NULL,
            changed    INTEGER NOT NULL,
            seal       INTEGER NOT NULL,
            PRIMARY KEY (policy, version)
        ) STRICT, WITHOUT ROWID
        """,
        "DELETE FROM indexed",
        "DELETE FROM census WHERE subject = 'steps'",
    ),
)
