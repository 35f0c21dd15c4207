/** No connection could be made: nothing has been sent. The cause says why. */
export class NoConnection extends Error {}

/** Making the connection took longer than it may. */
export class ConnectTimeout extends Error {}

/** The connection ended before the reply did. */
export class ConnectionLost extends Error {
  readonly reason: string
  /** It had carried a whole reply before, and nothing of this one. */
  readonly wasIdle: boolean

  constructor(reason: string, wasIdle: boolean) {
    super(`connection lost: ${reason}`)
    this.reason = reason
    this.wasIdle = wasIdle
  }
}

/** What came is not HTTP/1.1; the message says where it is not. */
export class MalformedReply extends Error {}

/** The request has what cannot be sent, such as a line break in a header: nothing has been. */
export class UnsendableRequest extends Error {}
