import type { Controller } from '#controller/controller.ts'
import type { ComponentLoggers } from '#telemetry/log.ts'
import type { ControllerTls } from './controller-certificate.ts'

export interface ControllerRoleOptions {
  /** Pod. */
  readonly name: string
  /** Address of the pod, at which other controllers reach it. */
  readonly podIp: string
  /** Where it runs, and keeps its own objects; its tenant serves requests without a client key. */
  readonly namespace: string
  /** Absent: all namespaces. */
  readonly watchNamespaces?: readonly string[]
  readonly host: string
  readonly port: number
  readonly statusPort: number
  /** Service of the controllers: what their certificates are for. */
  readonly service: string
  readonly gatewayServiceAccount: string
  /** Service of the gateways, in the namespace of the controller: its pods should all be connected. Absent: only those that are count. */
  readonly gatewayService?: string
  readonly lease: string
  readonly lastGoodSecret: string
  readonly tls: ControllerTls
  readonly kubeconfigPath?: string
  readonly loggers: ComponentLoggers
}

export interface ControllerRole {
  readonly port: number
  readonly statusPort: number
  readonly controller: Controller
  /** Sends the gateways to the other controllers, gives the lease back, and ends; promptly, even if the API server does not answer. */
  drain(): Promise<void>
}

export interface StartableController extends ControllerRole {
  /** Resolves when it serves: everything is known, compiled and published. Or when `drain` was called before. */
  start(): Promise<void>
}
