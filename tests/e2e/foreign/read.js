// Reads messages, one JSON object a line: {"binding": "Kafka" or "MQTT", "headers", "body"}, as a consumer
// gets them from its client library; prints the CloudEvents that the SDK makes of them, one a line.
"use strict";

const { Kafka, MQTT } = require(require.resolve("cloudevents", { paths: [process.env.VOUCH_CLOUDEVENTS] }));

// The SDK's binding for MQTT takes what the client library made of user properties and payload.
function fromMqtt(headers, body) {
  const { "content-type": contentType, ...properties } = headers;
  const binary = !contentType.startsWith("application/cloudevents");
  return MQTT.toEvent({
    PUBLISH: { "Content Type": contentType },
    headers: binary ? { datacontenttype: contentType, ...properties } : properties,
    body: binary && contentType === "application/json" ? JSON.parse(body) : body,
  });
}

const lines = require("fs").readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
for (const line of lines) {
  const { binding, headers, body } = JSON.parse(line);
  const event =
    binding === "Kafka" ? Kafka.toEvent({ headers, body, value: body }) : fromMqtt(headers, body);
  event.validate();
  console.log(JSON.stringify(event));
}
