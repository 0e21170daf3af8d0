/** The internal modules of kafkajs that `kafkajs-repairs.ts` corrects; they carry no types. */
declare module 'kafkajs/src/broker' {
  import type { Logger } from 'kafkajs';
  import type Encoder from 'kafkajs/src/protocol/encoder';

  export interface RawRecord {
    readonly offset: string;
    readonly key: Buffer | null;
    isControlRecord: boolean;
    readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
  }
  export interface RawPartition {
    readonly partition: number;
    readonly messages: RawRecord[];
    abortedTransactions?: { readonly producerId: string; readonly firstOffset: string }[];
  }
  export interface FetchRequest {
    readonly topics: readonly { readonly topic: string }[];
  }
  export interface FetchResponse {
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly RawPartition[] }[];
  }
  /** A request, and how its answer is read. */
  export interface Protocol<T> {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly apiName: string;
      encode(): Promise<Encoder>;
    };
    readonly response: { decode(raw: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
  }
  export interface ListOffsetsRequest {
    /** 0: also what transactions have not committed. 1: up to the first message of one that is open. */
    readonly isolationLevel?: 0 | 1;
    readonly topics: readonly object[];
  }
  export default class Broker {
    readonly connectionPool: { send<T>(protocol: Protocol<T>): Promise<T> };
    /** The same for all brokers of one client. */
    readonly rootLogger: object;
    readonly logger: Logger;
    /** By API key; once it is connected. */
    readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
    fetch(request: FetchRequest): Promise<FetchResponse>;
    listOffsets(request: ListOffsetsRequest): Promise<object>;
  }
}

declare module 'kafkajs/src/network/requestQueue' {
  export default class RequestQueue {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
    rejectAll(error: Error): void;
    fulfillRequest(response: { correlationId: number; payload: Buffer }): void;
  }
}

declare module 'kafkajs/src/consumer/consumerGroup' {
  export default class ConsumerGroup {
    /** Milliseconds since 1970 by the host's clock. */
    lastRequest: number;
    heartbeat(options: { interval: number }): Promise<void>;
  }
}

declare module 'kafkajs/src/network/connection' {
  import type { Socket } from 'node:net';
  import type { ISocketFactory, Logger } from 'kafkajs';
  import type RequestQueue from 'kafkajs/src/network/requestQueue';

  export interface ConnectionOptions {
    host: string;
    port: number;
    logger: Logger;
    socketFactory: ISocketFactory;
    /** Milliseconds. */
    requestTimeout: number;
    connectionTimeout: number;
  }
  export default class Connection {
    constructor(options: ConnectionOptions);
    /** Of the last attempt to connect. */
    socket?: Socket;
    requestQueue: RequestQueue;
    /** What has come and is no whole response yet. */
    chunks: Buffer[];
    bytesBuffered: number;
    bytesNeeded: number;
    isConnected(): boolean;
    connect(): Promise<boolean>;
    disconnect(): Promise<boolean>;
    processData(data: Buffer): void;
  }
}

declare module 'kafkajs/src/protocol/encoder' {
  export default class Encoder {
    writeBoolean(value: boolean): this;
    writeUVarInt(value: number): this;
    writeUVarIntString(value: string | null): this;
    writeBufferInternal(bytes: Buffer): void;
  }
}

declare module 'kafkajs/src/protocol/decoder' {
  export default class Decoder {
    constructor(bytes: Buffer);
    readBoolean(): boolean;
    readInt16(): number;
    readInt32(): number;
    readBytes(length: number): Buffer | null;
    readUVarIntString(): string | null;
    readUVarIntArray<T>(reader: (decoder: Decoder) => T): T[] | null;
    readTaggedFields(): object | null;
  }
}
