import type { RuleVerdict } from '#routing/explain-rules.ts'
import type { GroupReport, RoutingReport } from './explain-routing.ts'
import { renderTable } from './output.ts'

/** The way of a request, for people. */
export function renderRouting(report: RoutingReport): string {
  const { type, typeBy, model, family, profile } = report
  return `Request   ${type} (by ${typeBy}), model ${model}${family === undefined ? '' : `, family ${family}`}
Profile   ${profile}
Decided   ${decision(report)}
${rulesSection(report.rules)}${report.groups.map(groupSection).join('')}${conclusion(report)}`
}

function decision({ by, rule }: RoutingReport): string {
  switch (by) {
    case 'rule':
      return `by rule ${rule ?? ''}`
    case 'default':
      return 'by the default of the profile, as no rule matches'
    case 'safe-mode':
      return 'by safe mode, before any rule'
  }
}

function rulesSection(rules: readonly RuleVerdict[]): string {
  if (rules.length === 0) return ''
  const rows = rules.map((rule) => [rule.rule, rule.verdict === 'matched' ? 'matches' : 'no', mismatch(rule)])
  return `\n${renderTable(['rule', 'verdict', 'because'], rows)}`
}

function mismatch(verdict: RuleVerdict): string {
  if (verdict.verdict === 'matched') return ''
  return `${verdict.condition}: wants ${verdict.wanted}, request has ${verdict.found ?? 'none'}`
}

function groupSection({ group, strategy, model, accounts }: GroupReport, index: number): string {
  const head = `\n${index + 1}. Group ${group}, ${strategy}, asked for ${model}\n`
  if (accounts.length === 0) return `${head}   no usable account\n`
  const rows = accounts.map(({ account, provider, upstreamModel, verdict, reason, until }) => [
    account,
    provider,
    upstreamModel ?? '-',
    reason === undefined ? verdict : `${verdict}: ${reason}${until === undefined ? '' : ` until ${until}`}`,
  ])
  return head + renderTable(['account', 'provider', 'model', 'verdict'], rows)
}

function conclusion({ groups, model, health }: RoutingReport): string {
  const first = groups.find(({ accounts }) => accounts.some((account) => account.verdict === 'ready'))
  if (first === undefined) return `\n${NOBODY[health]} ${model}: the answer is KP-PROV-103 or KP-PROV-101.\n`
  const names = first.accounts.flatMap(({ account, verdict }) => (verdict === 'ready' ? [account] : []))
  return `\nAnswered by ${names.join(' or ')} of group ${first.group}${health === 'Assumed' ? ' when healthy' : ''}.\n`
}

const NOBODY = { Assumed: 'No account serves', Known: 'No account can serve now' } as const
