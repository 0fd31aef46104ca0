/**
 * Which room may enter which, by its door. A room is a folder of a package's `src/`, named `package/room`; a bare
 * package name stands for its public door. Files that lie directly in `src/` are composition roots of their package:
 * they may enter every room of it, and the packages listed under the package's own name.
 */
export const mayEnter: Readonly<Record<string, readonly string[]>> = {
  apns: [],
  "apns/runtime": [],
  "apns/notification": ["apns/runtime"],
  "apns/http2": [],
  "apns/response": ["apns/notification"],
  "apns/credentials": ["apns/runtime"],
  "apns/channels": ["apns/notification", "apns/response", "apns/runtime"],
  "apns/client": [
    "apns/channels",
    "apns/notification",
    "apns/response",
    "apns/credentials",
    "apns/http2",
    "apns/runtime",
  ],
  "apns/binary": ["apns/notification", "apns/response", "apns/credentials", "apns/runtime"],

  simulator: ["apns", "apns/binary", "apns/credentials", "apns/http2"],

  gateway: ["apns"],
  "gateway/config": ["apns"],
  "gateway/store": ["apns"],
  "gateway/delivery": ["apns", "gateway/store"],
  "gateway/apps": ["apns", "gateway/config"],
  "gateway/outcomes": ["apns", "gateway/store"],
  "gateway/trace": ["gateway/delivery", "gateway/outcomes"],
  "gateway/api": [
    "apns",
    "gateway/config",
    "gateway/delivery",
    "gateway/outcomes",
    "gateway/trace",
    "gateway/apps",
  ],
  "gateway/bridge": ["apns", "apns/binary", "gateway/config", "gateway/delivery", "gateway/apps"],
  // Looks into every room whose state can be at fault, and into nothing that is running.
  "gateway/doctor": [
    "apns",
    "apns/credentials",
    "apns/http2",
    "gateway/config",
    "gateway/apps",
    "gateway/store",
    "gateway/bridge",
  ],
  // The demo is the only way from the gateway to the simulator.
  "gateway/cli": ["apns", "apns/binary", "simulator", "gateway/config", "gateway/doctor", "gateway"],
};
