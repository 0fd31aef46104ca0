import { ByteWriter, initialSettings } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { AnswerWriter } from "./answer-writer.ts";
import { ServerStream } from "./server-stream.ts";

function writer() {
  const out = new ByteWriter();
  const answers = new AnswerWriter(out);
  let nextId = 1;
  const stream = (): ServerStream => {
    const made = new ServerStream(nextId, [], undefined, 65_535, answers.initialStreamWindow);
    nextId += 2;
    return made;
  };
  return { out, answers, stream };
}

const id = (ordinal: number): string => `EABEAE54-14A8-11E5-B60B-${String(ordinal).padStart(12, "0")}`;

test("ids do not push other entries out of the table: the second answer is short for ever", () => {
  const { out, answers, stream } = writer();
  const lengths = Array.from({ length: 500 }, (_, ordinal) => {
    answers.write(stream(), [":status", "200", "apns-id", id(ordinal)], undefined);
    return out.take().length;
  });
  // 9 bytes of frame, status by index, the name by index, 36 characters in Huffman code.
  expect(Math.max(...lengths.slice(1))).toBeLessThanOrEqual(9 + 1 + 2 + 1 + 36);
  const refusal = (): number => {
    answers.write(stream(), [":status", "400", "content-type", "application/json"], undefined);
    return out.take().length;
  };
  refusal();
  for (let ordinal = 0; ordinal < 500; ordinal++) {
    answers.write(stream(), [":status", "200", "apns-id", id(ordinal)], undefined);
  }
  out.take();
  expect(refusal()).toBe(9 + 2);
});

test("bodies wait for the connection's window and go out in the order of the answers", () => {
  const { out, answers, stream } = writer();
  const [first, second, third] = [stream(), stream(), stream()];
  expect(answers.write(first, [":status", "400"], Buffer.alloc(65_530))).toBe(true);
  expect(answers.write(second, [":status", "400"], Buffer.alloc(10))).toBe(false);
  expect(answers.write(third, [":status", "400"], Buffer.alloc(10))).toBe(false);
  out.take();
  answers.enlargeConnectionWindow(8);
  expect(answers.writeWaiting()).toEqual([second]);
  answers.enlargeConnectionWindow(100);
  expect(answers.writeWaiting()).toEqual([third]);
  expect(answers.writeWaiting()).toEqual([]);
});

test("a stream that is gone gets nothing more", () => {
  const { out, answers, stream } = writer();
  answers.adopt({ ...initialSettings, initialWindowSize: 0 }, []);
  const gone = stream();
  answers.write(gone, [":status", "400"], Buffer.alloc(10));
  out.take();
  answers.drop(gone);
  answers.enlargeStreamWindow(gone, 100);
  expect(answers.writeWaiting()).toEqual([]);
  expect(out.length).toBe(0);
});

test("a table that the client took away is announced once and not used", () => {
  const blocksOf = (headerTableSize: number): Buffer[] => {
    const { out, answers, stream } = writer();
    answers.adopt({ ...initialSettings, headerTableSize }, []);
    return [1, 2, 3].map(() => {
      answers.write(stream(), [":status", "200", "apns-id", id(1)], undefined);
      return out.take();
    });
  };
  const [first, second, third] = blocksOf(0).map((bytes) => bytes.toString("latin1", 9));
  expect(first?.startsWith("\x20\x88")).toBe(true);
  expect(second?.startsWith("\x88")).toBe(true);
  expect(third).toBe(second);
  expect(blocksOf(4096)[2]?.length).toBeLessThan(9 + (third?.length ?? 0));
});
