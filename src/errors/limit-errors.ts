import type { ErrorTable } from './error-entry.ts'

/** Limits of clients and accounts: 400-499. */
export const LIMIT_ERRORS = {
  'KP-RATE-400': {
    status: 429,
    kind: 'rate_limited',
    severity: 'warning',
    title: 'Client rate limit',
    message: 'Client {client} passed its limit {limit}.',
    description: 'A limit of a UsagePolicy is used up.',
    fix: ['Wait as Retry-After says, or raise the limit.'],
  },
  'KP-RATE-401': {
    status: 429,
    kind: 'quota_exhausted',
    severity: 'warning',
    title: 'Client budget used up',
    message: 'Client {client} used up its budget {limit}.',
    description: 'A budget of a UsagePolicy is used up.',
    fix: ['Wait for the next period, or raise the budget.'],
  },
  'KP-RATE-402': {
    status: 429,
    kind: 'rate_limited',
    severity: 'warning',
    title: 'Account limit',
    message: 'Every account of group {group} is at its configured limit.',
    description: 'limits.maxInFlight (or a rate) of all accounts is reached.',
    fix: ['Raise the limits of the accounts or add accounts.'],
  },
} as const satisfies ErrorTable<'RATE'>
