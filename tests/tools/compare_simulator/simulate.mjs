// Reads requests, a JSON line each, from standard input; writes what @cloud-copilot/iam-simulate decides, a line each.
// compare.py runs it in a temporary folder into which it installs that package.

import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const levels = (policies = []) =>
  policies.map((level, number) => ({
    orgIdentifier: `level-${number}`,
    policies: level.map((policy, index) => ({ name: `policy-${number}-${index}`, policy }))
  }))

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const simulation = {
    request: {
      principal: asked.principal,
      action: asked.action,
      resource: { resource: asked.resource, accountId: asked.account },
      contextVariables: asked.context
    },
    identityPolicies: asked.identity.map((policy, index) => ({ name: `identity-${index}`, policy })),
    serviceControlPolicies: levels(asked.scps),
    resourceControlPolicies: levels(asked.rcps)
  }
  if (asked.resourcePolicy) simulation.resourcePolicy = asked.resourcePolicy
  if (asked.session) simulation.sessionPolicy = asked.session
  if (asked.boundary) {
    simulation.permissionBoundaryPolicies = [{ name: 'boundary', policy: asked.boundary }]
  }
  const answer = { id: asked.id }
  try {
    const response = await runSimulation(simulation, {})
    if (response.resultType !== 'single') {
      answer.refused = response.resultType === 'error' ? JSON.stringify(response.errors) : response.resultType
    } else if (!response.result.analysis.identityAnalysis) {
      answer.refused = 'needs no permission' // sts:GetCallerIdentity and its like
    } else {
      // Its overall result also asks for key policies and trust policies, which are not compared.
      answer.identity = response.result.analysis.identityAnalysis.result
      answer.boundary = response.result.analysis.permissionBoundaryAnalysis?.result
      answer.overall = response.result.analysis.result
      answer.ignored = response.result.ignoredContextKeys ?? []
    }
  } catch (error) {
    answer.refused = String(error)
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
