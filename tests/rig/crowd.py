"""The rest of an account: roles by the hundred that make it as large as real ones."""

import random
from datetime import timedelta
from typing import Any

from moto.iam.models import OpenIDConnectProvider

from tests.rig.builder import Builder
from tests.rig.documents import trusting_accounts_of, trusting_ec2, trusting_pods
from tests.support.documents import allow_statement, trust

TEAMS = ("search", "payments", "ml", "data", "web", "mobile", "identity", "growth", "billing", "infra")
APPS = ("api", "worker", "cron", "ingest", "export", "sync", "proxy", "cache", "frontend", "jobs", "stream", "report")

SEED = 20261130
"""Makes the crowd the same in every run."""


def add_crowd(builder: Builder, count: int, region: str) -> None:
    """Add `count` roles of many kinds; about one in six carries AmazonEKS_CNI_Policy."""
    chance = random.Random(SEED)
    provider = _provider(builder, builder.eks(region).clusters["prod"].identity["oidc"]["issuer"])
    prod = builder.eks(region).clusters["prod"]
    teams = {
        team: builder.policy(f"{team}-data", allow_statement("s3:GetObject", "sqs:*"), path="/teams/") for team in TEAMS
    }
    for number in range(count):
        team, app = chance.choice(TEAMS), chance.choice(APPS)
        name = f"{team}-{app}-{number:04}"
        last_used = builder.now - timedelta(hours=chance.randrange(1, 24 * 420))
        # RoleLastUsed reaches back 400 days; what was used before has none.
        last_use: dict[str, Any] = (
            {"last_used": last_used, "last_used_region": region}
            if builder.now - last_used < timedelta(days=400)
            else {}
        )
        tags = {"team": team, "cost-centre": str(chance.randrange(1000, 9999))}
        draw = chance.random()
        if draw < 0.16:
            policies = ["AmazonEKS_CNI_Policy", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly"]
            builder.role(f"{name}-node", trusting_ec2(builder.partition), *policies, tags=tags, **last_use)
        elif draw < 0.34:
            subject = f"system:serviceaccount:{team}:{app}"
            role = builder.role(
                f"{name}-irsa", trusting_accounts_of(provider.arn, subject), teams[team].arn, tags=tags, **last_use
            )
            builder.irsa(region, prod, role, team, app)
        elif draw < 0.5:
            role = builder.role(f"{name}-pod", trusting_pods(), teams[team].arn, tags=tags, **last_use)
            builder.pod_identity(region, prod, team, f"{app}-{number:04}", role)
        elif draw < 0.8:
            policies = ["AWSLambdaBasicExecutionRole", teams[team].arn]
            builder.role(
                f"{name}-lambda", trust("lambda.amazonaws.com"), *policies, path="/service/", tags=tags, **last_use
            )
        else:
            inline = {"queue": allow_statement("sqs:SendMessage"), "logs": allow_statement("logs:PutLogEvents")}
            builder.role(f"{name}-task", trust("ecs-tasks.amazonaws.com"), inline=inline, tags=tags, **last_use)


def _provider(builder: Builder, url: str) -> OpenIDConnectProvider:
    host = url.removeprefix("https://")
    return next(p for p in builder.iam.open_id_providers.values() if p.url == host)
