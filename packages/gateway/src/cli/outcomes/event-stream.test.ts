import { expect, test } from "vitest";
import { EventStreamReader } from "./event-stream.ts";

const text =
  ':\n\nid: 7\nevent: token.gone\ndata: {"a":1}\n\n: nothing new\nid: 9\n\nid: 12\nevent: x\ndata: {"b":2}\n\n';

test("hears the same events and keeps the same cursor wherever the text is cut", () => {
  for (let cut = 0; cut <= text.length; cut++) {
    const heard: string[] = [];
    const reader = new EventStreamReader((data) => heard.push(data));
    reader.read(text.slice(0, cut));
    reader.read(text.slice(cut));
    expect({ heard, cursor: reader.cursor }).toEqual({ heard: ['{"a":1}', '{"b":2}'], cursor: "12" });
  }
});

test("half an event is not heard, and its cursor not kept", () => {
  const heard: string[] = [];
  const reader = new EventStreamReader((data) => heard.push(data), "5");
  reader.read('id: 7\ndata: {"a"');
  expect({ heard, cursor: reader.cursor }).toEqual({ heard: [], cursor: "5" });
});
