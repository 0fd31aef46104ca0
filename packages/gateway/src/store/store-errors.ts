/** The store cannot be used (any more): what waits for it was not acknowledged. The process must be started anew. */
export class StoreFailedError extends Error {
  override readonly name = "StoreFailedError";
}

/** The disk is full: nothing of this request was stored. The same request may succeed once there is room. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}

/** Somebody else stored the same request key in the meantime. Nothing of the call was stored. */
export class RequestKeyTakenError extends Error {
  override readonly name = "RequestKeyTakenError";
}
