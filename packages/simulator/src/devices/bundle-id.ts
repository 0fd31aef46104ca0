import { pushTypes } from "@carillon/apns";

const suffixes = [...new Set(Object.values(pushTypes).map(({ topicSuffix }) => topicSuffix))].filter(
  (suffix) => suffix !== "",
);

/** The app that a topic belongs to: the topic without a push type's suffix. */
export function bundleIdOf(topic: string): string {
  const suffix = suffixes.find((each) => topic.endsWith(each));
  return suffix === undefined ? topic : topic.slice(0, topic.length - suffix.length);
}
