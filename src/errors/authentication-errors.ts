import type { ErrorTable } from './error-entry.ts'

/** Who may call, and what each caller may use: 001-099. */
export const AUTHENTICATION_ERRORS = {
  'KP-AUTH-001': {
    status: 401,
    kind: 'authentication',
    severity: 'warning',
    title: 'No client key',
    message: 'No API key was sent. Send `Authorization: Bearer <key>`, `x-api-key`, `x-goog-api-key` or `?key=`.',
    description: 'The gateway requires a client key and the request carried none.',
    fix: [
      'Send a key of a GatewayClient.',
      'For a gateway without keys set clientAuth.mode: Disabled in the GatewayConfig.',
    ],
  },
  'KP-AUTH-002': {
    status: 401,
    kind: 'authentication',
    severity: 'warning',
    title: 'Unknown client key',
    message: 'The API key is not known to this gateway.',
    description: 'No GatewayClient has a credential with this digest.',
    fix: [
      'Check that the key was copied whole.',
      'Check `kubectl get gatewayclients` and that the client is in the table (`korproxy status`).',
    ],
  },
  'KP-AUTH-003': {
    status: 401,
    kind: 'authentication',
    severity: 'warning',
    title: 'Client key expired',
    message: 'The API key of client {client} expired.',
    description: 'The credential has an expiresAt in the past.',
    fix: ['Use the newer credential of the client, or set a later expiresAt.'],
  },
  'KP-AUTH-004': {
    status: 403,
    kind: 'permission',
    severity: 'warning',
    title: 'Client suspended',
    message: 'Client {client} is {state}.',
    description: 'The GatewayClient is Suspended or Revoked.',
    fix: ['Set state: Active on the GatewayClient.'],
  },
  'KP-AUTH-005': {
    status: 403,
    kind: 'permission',
    severity: 'warning',
    title: 'Model not allowed',
    message: 'Client {client} may not use model {model}.',
    description:
      'The model matches none of allow.models of the GatewayClient; or the request names no model that the gateway can see (files, batches, audio), and such a client may send it only where allow.requestTypes names other.',
    fix: [
      'Use an allowed model (GET /v1/models lists them).',
      'Extend allow.models of the GatewayClient.',
      'For paths without a model, add other to allow.requestTypes.',
    ],
  },
  'KP-AUTH-006': {
    status: 403,
    kind: 'permission',
    severity: 'warning',
    title: 'Request type not allowed',
    message: 'Client {client} may not send {type} requests.',
    description: 'The request type is not in allow.requestTypes of the GatewayClient.',
    fix: ['Extend allow.requestTypes of the GatewayClient.'],
  },
  'KP-AUTH-007': {
    status: 403,
    kind: 'permission',
    severity: 'warning',
    title: 'Override not allowed',
    message: 'Client {client} may not set the header {header}.',
    description: 'X-KorProxy-Profile and X-KorProxy-Request-Type are only for clients with profileOverride: Allow.',
    fix: ['Remove the header, or set profileOverride: Allow on the GatewayClient.'],
  },
  'KP-AUTH-008': {
    status: 400,
    kind: 'invalid_request',
    severity: 'warning',
    title: 'More than one client key',
    message: 'The request carries different API keys in {places}.',
    description: 'Two credentials with different values came with one request; which one is meant is unclear.',
    fix: ['Send the key in one place only.'],
  },
  'KP-AUTH-009': {
    status: 401,
    kind: 'authentication',
    severity: 'warning',
    title: 'Management token refused',
    message: 'The gateway at {server} {reason}.',
    description:
      'The paths below /_korproxy need the management token of this gateway; none was given, or another one.',
    fix: [
      'On the machine of a standalone gateway give the same --state-dir as `korproxy serve`; its file management-token holds the token.',
      'Elsewhere give it with --token or KORPROXY_TOKEN.',
    ],
  },
  'KP-AUTH-010': {
    status: 401,
    kind: 'authentication',
    severity: 'error',
    title: 'Gateway not recognised',
    message: 'The controller does not recognise the gateway: {reason}',
    description:
      'A gateway shows the controller the token of its pod. It was missing, refused by the Kubernetes API, for another audience, or of another pod.',
    fix: [
      "Check the projected token and its audience in the gateway's pod.",
      'Check that the controller may create TokenReviews.',
    ],
  },
  'KP-AUTH-011': {
    status: 403,
    kind: 'permission',
    severity: 'error',
    title: 'Not allowed in the cluster',
    message: 'The cluster does not allow it: {message}',
    description:
      'The user of the kubeconfig lacks a right that the command needs. The command line has no rights of its own.',
    fix: [
      'Give the user a Role with this verb and resource; docs/operations.md lists what each command needs.',
      'Choose a namespace in which the user has the right (-n), or another context (--context).',
    ],
  },
} as const satisfies ErrorTable<'AUTH'>
