import type Broker from 'kafkajs/src/broker';
import type { Protocol } from 'kafkajs/src/broker';
import Decoder from 'kafkajs/src/protocol/decoder';
import Encoder from 'kafkajs/src/protocol/encoder';

const METADATA = 3;
/** The first version that tells ids (KIP-516, Kafka 2.8). kafkajs speaks up to 6. */
const VERSION = 10;
const ID_BYTES = 16;

/**
 * The ids of topics: one that was made anew has another, whatever its name.
 * @returns without topics that there are not; nothing from a broker that knows no ids
 */
export async function topicIds(broker: Broker, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const known = (broker.versions?.[METADATA]?.maxVersion ?? 0) >= VERSION;
  return known && names.length > 0 ? broker.connectionPool.send(metadataRequest(names)) : new Map();
}

/** Metadata of version 10: https://kafka.apache.org/protocol#The_Messages_Metadata */
function metadataRequest(names: readonly string[]): Protocol<ReadonlyMap<string, string>> {
  return {
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: 'Metadata',
      encode: async () => {
        // The fields without a name are "tagged", of which there are none; the first belongs to the request's header.
        const body = new Encoder().writeUVarInt(0).writeUVarInt(names.length + 1);
        for (const name of names) {
          body.writeBufferInternal(Buffer.alloc(ID_BYTES));
          body.writeUVarIntString(name).writeUVarInt(0);
        }
        const [createsTopics, tellsOperations] = [false, false];
        return body
          .writeBoolean(createsTopics)
          .writeBoolean(tellsOperations)
          .writeBoolean(tellsOperations)
          .writeUVarInt(0);
      },
    },
    response: { decode: async (raw) => decode(new Decoder(raw)), parse: async (ids) => ids },
  };
}

function decode(response: Decoder): ReadonlyMap<string, string> {
  response.readTaggedFields();
  response.readInt32(); // throttled for
  response.readUVarIntArray(readBroker);
  response.readUVarIntString(); // cluster
  response.readInt32(); // controller
  const topics = response.readUVarIntArray(readTopic) ?? [];
  return new Map(topics.filter(({ error }) => error === 0).map(({ name, id }) => [name, id]));
}

function readBroker(response: Decoder): void {
  response.readInt32(); // id
  response.readUVarIntString(); // host
  response.readInt32(); // port
  response.readUVarIntString(); // rack
  response.readTaggedFields();
}

function readTopic(response: Decoder): { error: number; name: string; id: string } {
  const error = response.readInt16();
  const name = response.readUVarIntString() ?? '';
  const id = response.readBytes(ID_BYTES)?.toString('hex') ?? '';
  response.readBoolean(); // internal
  response.readUVarIntArray(readPartition);
  response.readInt32(); // operations
  response.readTaggedFields();
  return { error, name, id };
}

function readPartition(response: Decoder): void {
  response.readInt16(); // error
  response.readInt32(); // index
  response.readInt32(); // leader
  response.readInt32(); // leader's epoch
  for (const _ of ['replicas', 'in sync', 'offline']) response.readUVarIntArray((each) => each.readInt32());
  response.readTaggedFields();
}
