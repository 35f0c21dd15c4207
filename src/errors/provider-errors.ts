import type { ErrorTable } from './error-entry.ts'

/** What providers answer, and accounts that can answer nothing: 100-199. */
export const PROVIDER_ERRORS = {
  'KP-PROV-100': {
    status: 502,
    kind: 'upstream',
    severity: 'error',
    title: 'Provider error',
    message: 'The provider of account {account} failed with status {status}.',
    description: 'The provider answered with a server error and no other account could answer.',
    fix: ["Look at the provider's status page.", 'Add a second account or a fallback group.'],
  },
  'KP-PROV-101': {
    status: 503,
    kind: 'overloaded',
    severity: 'critical',
    title: 'No healthy account',
    message: 'No account of group {group} is available: {diagnostics}.',
    description: 'Every account of the group and of its fallback groups is erroring, disabled or draining.',
    fix: [
      '`korproxy provider list` shows each account and its last error.',
      'Reset health with `POST /_korproxy/health/reset` once the cause is gone.',
    ],
  },
  'KP-PROV-102': {
    status: 502,
    kind: 'upstream',
    severity: 'critical',
    title: 'Provider credentials refused',
    message: 'The credentials of every account of group {group} were refused by the provider.',
    description:
      "The provider answered 401 or 403 to each account: keys are wrong, revoked, or lack a permission. The client's own key is fine.",
    fix: [
      'Replace the Secret of the accounts named in the log; the change is live without a restart.',
      '`korproxy provider test <account>` tells what the provider says.',
    ],
  },
  'KP-PROV-103': {
    status: 404,
    kind: 'not_found',
    severity: 'warning',
    title: 'Model not found',
    message: 'Model {model} is not served by any account of group {group}.',
    description:
      'No account of the chosen group (and its fallbacks) lists, aliases or accepts this model, or the provider does not know it.',
    fix: ['GET /v1/models lists the usable models.', 'Add the model to models.allow or models.aliases of an account.'],
  },
  'KP-PROV-104': {
    status: 400,
    kind: 'invalid_request',
    severity: 'warning',
    title: 'Provider refused the request',
    message: '{message}',
    description:
      'The provider refused the request as invalid. It was not tried elsewhere because another account would refuse it too.',
    fix: ['Correct the request as the message says.'],
  },
  'KP-PROV-105': {
    status: 400,
    kind: 'context_length',
    severity: 'warning',
    title: 'Context too long',
    message: '{message}',
    description: 'The conversation does not fit the context window of the model.',
    fix: ['Shorten the conversation or lower max_tokens.', 'Route to a model with a larger context window.'],
  },
  'KP-PROV-106': {
    status: 400,
    kind: 'content_filter',
    severity: 'warning',
    title: 'Content refused',
    message: '{message}',
    description: "The provider's content filter refused the prompt.",
    fix: ["Change the prompt; the provider's policy page says what is refused."],
  },
  'KP-PROV-107': {
    status: 503,
    kind: 'overloaded',
    severity: 'error',
    title: 'Provider overloaded',
    message: 'The provider of account {account} is overloaded.',
    description: 'The provider answered overloaded (503, 529) and no other account could answer.',
    fix: ['Try again after the given seconds.', 'Add accounts or a fallback group.'],
  },
  'KP-PROV-108': {
    status: 429,
    kind: 'quota_exhausted',
    severity: 'error',
    title: 'Provider quota exhausted',
    message: 'The quota of every account of group {group} is used up.',
    description:
      'Every account reported an exhausted quota, credit or plan limit; waiting a few seconds does not help.',
    fix: ['Add credit or raise the plan at the provider.', 'Add another account to the group.'],
  },
  'KP-PROV-109': {
    status: 502,
    kind: 'upstream',
    severity: 'error',
    title: 'Provider reply not understood',
    message: 'The reply of the provider of account {account} is broken: {reason}.',
    description:
      'The provider sent a reply that is not valid in its own format: truncated, malformed, or an error with status 200.',
    fix: [
      'See the log line of this correlation id.',
      '`korproxy provider test <account>` shows what the provider answers.',
    ],
  },
  'KP-PROV-110': {
    status: 429,
    kind: 'rate_limited',
    severity: 'warning',
    title: 'Provider rate limited',
    message: 'Provider rate limited. Retrying in {seconds}s…',
    description: 'Every account of the group is limited by its provider.',
    fix: ['Retry after the given seconds.', 'Add accounts to the group or a fallback group.'],
  },
  'KP-PROV-111': {
    status: 502,
    kind: 'upstream',
    severity: 'error',
    title: 'Stream broke off',
    message: 'The stream from the provider of account {account} broke off: {reason}.',
    description:
      "The answer had begun when the provider's stream ended without its finish reason, was reset or carried a broken event. What came before is incomplete. A stream that fell silent is KP-NET-303.",
    fix: ['Send the request again.'],
  },
  'KP-PROV-112': {
    status: 400,
    kind: 'unsupported',
    severity: 'warning',
    title: 'Not supported by the target',
    message: '{parameter} cannot be expressed for {target}: {reason}',
    description:
      "The request asks for something that the chosen provider's format has no form for, and leaving it out would change the answer.",
    fix: ['Remove the parameter, or route this request to a provider that supports it.'],
  },
  'KP-PROV-113': {
    status: 404,
    kind: 'not_found',
    severity: 'warning',
    title: 'Operation not offered',
    message: 'The provider {provider} does not offer {operation}.',
    description:
      'The chosen group has no account whose provider can do this operation (for example embeddings at Anthropic).',
    fix: ['Route this request type to a group with a suitable provider.'],
  },
  'KP-PROV-114': {
    status: 502,
    kind: 'upstream',
    severity: 'critical',
    title: 'OAuth refresh refused',
    message: 'The OAuth token of account {account} cannot be refreshed: {reason}.',
    description: 'The token endpoint refused the refresh token for good (invalid_grant or reuse).',
    fix: ['Authorise the account anew and replace the refresh token in its Secret.'],
  },
  'KP-PROV-116': {
    status: 503,
    kind: 'upstream',
    severity: 'error',
    title: 'OAuth refresh failed',
    message: 'The OAuth token of account {account} could not be refreshed: {reason}.',
    description:
      'The token endpoint was not reachable, answered with an error that may pass, or the rotated refresh token could not be saved. It is tried again with a growing wait.',
    fix: ['Check tokenURL, its certificate and the network path.', 'Check that the token store can be written.'],
  },
} as const satisfies ErrorTable<'PROV'>
