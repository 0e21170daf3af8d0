/** The internal modules of kafkajs that `kafkajs-repairs.ts` corrects; they carry no types. */
declare module 'kafkajs/src/broker' {
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
  export interface FetchResponse {
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly RawPartition[] }[];
  }
  export default class Broker {
    fetch(request: object): Promise<FetchResponse>;
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
