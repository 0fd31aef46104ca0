import type { ByteWriter } from "./byte-writer.ts";
import { flag, frameHeaderBytes } from "./frame-types.ts";
import { writeHeaders } from "./frame-writer.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";

/** The HEADERS frame that a form wrote last, with two holes: where the end of the path and the id stand. */
interface Stencil {
  readonly encoder: HpackEncoder;
  /** As long as the encoder's state is this one, the same fields become the same bytes. */
  readonly state: number;
  readonly frame: Uint8Array;
  readonly flags: number;
  readonly pathEndBytes: number;
  readonly pathEndAt: number;
  readonly idBytes: number;
  readonly idAt: number;
}

/**
 * A list of header fields of which only two values are new with each request: the end of `:path`, and an id.
 *
 * A hot path (bench/client.ts): while the encoder's table stays as it is and the two values keep their lengths, the frame written
 * before is copied and the two are written over. Otherwise the encoder decides, as for any list.
 */
export class RequestForm {
  private readonly fields: string[];
  private readonly pathStart: string;
  private readonly pathPlace: number;
  private readonly idPlace: number;
  private stencil: Stencil | undefined;

  /**
   * @param fields as for `open`; the values of `:path` and of `idName` are filled in for each request, and are neither a table's nor
   * indexed
   * @param pathStart what all paths have in common
   */
  constructor(fields: readonly string[], pathStart: string, idName: string) {
    this.fields = [...fields];
    this.pathStart = pathStart;
    this.pathPlace = fields.indexOf(":path") + 1;
    this.idPlace = fields.indexOf(idName) + 1;
  }

  /** Appends the request's HEADERS; both values have one byte a character. */
  write(
    out: ByteWriter,
    encoder: HpackEncoder,
    streamId: number,
    pathEnd: string,
    id: string,
    flags: number,
    maxFrameSize: number,
  ): void {
    const { stencil } = this;
    if (
      stencil === undefined ||
      stencil.state !== encoder.state ||
      stencil.encoder !== encoder ||
      stencil.flags !== flags ||
      stencil.frame.length > frameHeaderBytes + maxFrameSize ||
      stencil.pathEndBytes !== pathEnd.length ||
      stencil.idBytes !== id.length
    ) {
      this.encode(out, encoder, streamId, pathEnd, id, flags, maxFrameSize);
      return;
    }
    const at = out.length;
    out.bytes(stencil.frame);
    out.patchU32(at + 5, streamId);
    out.patchLatin1(at + stencil.pathEndAt, pathEnd);
    out.patchLatin1(at + stencil.idAt, id);
  }

  private encode(
    out: ByteWriter,
    encoder: HpackEncoder,
    streamId: number,
    pathEnd: string,
    id: string,
    flags: number,
    maxFrameSize: number,
  ): void {
    this.fields[this.pathPlace] = this.pathStart + pathEnd;
    this.fields[this.idPlace] = id;
    const { state } = encoder;
    const at = out.length;
    writeHeaders(out, encoder, streamId, this.fields, flags, maxFrameSize);
    const isAlone = out.length - at - frameHeaderBytes <= maxFrameSize;
    this.stencil =
      state === encoder.state && isAlone
        ? cutStencil(out.copy(at), encoder, this.pathStart, pathEnd, id, flags)
        : undefined;
  }
}

/** Finds both values in a frame; undefined where one does not stand there as it is, exactly once. */
function cutStencil(
  frame: Buffer,
  encoder: HpackEncoder,
  pathStart: string,
  pathEnd: string,
  id: string,
  flags: number,
): Stencil | undefined {
  const pathAt = frame.indexOf(pathStart + pathEnd, frameHeaderBytes, "latin1");
  const idAt = frame.indexOf(id, frameHeaderBytes, "latin1");
  const isClear =
    pathAt > 0 &&
    idAt > 0 &&
    frame.lastIndexOf(pathStart + pathEnd, undefined, "latin1") === pathAt &&
    frame.lastIndexOf(id, undefined, "latin1") === idAt;
  if (!isClear || pathEnd === "" || id === "") return undefined;
  return {
    ...{ encoder, state: encoder.state, frame, flags: flags & ~flag.endHeaders },
    ...{ pathEndBytes: pathEnd.length, pathEndAt: pathAt + pathStart.length },
    ...{ idBytes: id.length, idAt },
  };
}
