// Sends with the npm package apn 1.7.8, unmodified, and tells what its own events say. Runs in a process of its own, because the package
// belongs to Node's past and shuts down by timers.
//
//   node --tls-min-v1.0 apn-program.js '{"port", "feedbackPort", "ca", "cert", "key", "deviceTokens"}'
//
// Writes one line of JSON: {"transmitted", "errors": [[status, deviceToken]], "feedback": [[seconds, deviceToken]]}.

import apn from "apn";

const { port, feedbackPort, ca, cert, key, deviceTokens } = JSON.parse(process.argv[2]);
const options = { address: "localhost", ca: [ca], cert, key, production: false };

const connection = new apn.Connection({ ...options, port });
const transmitted = new Set();
const errors = [];
connection.on("transmitted", (_notification, device) => transmitted.add(device.toString()));
connection.on("transmissionError", (status, _notification, device) =>
  errors.push([status, device?.toString()]),
);
for (const event of ["error", "socketError", "cacheTooSmall"])
  connection.on(event, (what) => errors.push([event, String(what)]));

const notification = new apn.Notification();
notification.alert = "Hello";
notification.expiry = 4_000_000_000;
connection.pushNotification(notification, deviceTokens);
connection.shutdown();
connection.on("disconnected", () => {
  if (connection.sockets.length === 0 && connection.notificationBuffer.length === 0) readFeedback();
});

let hasRead = false;
function readFeedback() {
  if (hasRead) return;
  hasRead = true;
  const feedback = [];
  const service = new apn.Feedback({ ...options, port: feedbackPort, interval: 0, batchFeedback: true });
  service.on("feedback", (devices) => {
    for (const { time, device } of devices) feedback.push([time, device.toString()]);
    console.log(JSON.stringify({ transmitted: transmitted.size, errors, feedback }));
  });
  service.on("feedbackError", (error) => errors.push(["feedbackError", String(error)]));
}
