import { Env } from '@delivery/platform/config';
import { ArrayNotEmpty, IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

/** How a process reaches Kafka. */
export class KafkaConfig {
  @Env({
    name: 'KAFKA_BROKERS',
    description: 'Addresses of brokers to begin with, comma separated.',
    example: 'kafka-1.internal:9092,kafka-2.internal:9092',
  })
  @ArrayNotEmpty()
  @Matches(/^[^\s:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, { each: true, message: 'must be a list of host:port' })
  brokers: string[];

  @Env({ name: 'KAFKA_CLIENT_ID', description: 'Name shown in the broker for this process.', default: 'delivery' })
  @IsNotEmpty()
  clientId: string;

  @Env({
    name: 'KAFKA_TOPIC_PREFIX',
    description: 'Put before every topic and consumer group, for several installations on one cluster.',
    default: '',
    example: 'staging.',
  })
  @Matches(/^[A-Za-z0-9._-]{0,100}$/, { message: 'may have letters, digits, dots, underscores and hyphens' })
  topicPrefix: string;

  @Env({ name: 'KAFKA_SSL', description: 'Use TLS and verify the broker certificate and name.', default: 'false' })
  ssl: boolean;

  @Env({ name: 'KAFKA_SSL_CA', description: 'PEM certificate of the authority that signed the broker certificate.' })
  @IsOptional()
  sslCa?: string;

  @Env({ name: 'KAFKA_SASL_MECHANISM', description: 'How to log in; no login when not set.' })
  @IsOptional()
  @IsIn([...saslMechanisms])
  saslMechanism?: SaslMechanism;

  @Env({ name: 'KAFKA_SASL_USERNAME', description: 'Login name for SASL.' })
  @ValidateIf((config: KafkaConfig) => config.saslMechanism !== undefined)
  @IsNotEmpty()
  saslUsername?: string;

  @Env({ name: 'KAFKA_SASL_PASSWORD', description: 'Password for SASL.', secret: true })
  @ValidateIf((config: KafkaConfig) => config.saslMechanism !== undefined)
  @IsNotEmpty()
  saslPassword?: string;

  @Env({
    name: 'KAFKA_PUBLISH_TIMEOUT_MS',
    description: 'Milliseconds after which a message that was not acknowledged fails as unavailable.',
    default: '10000',
  })
  @IsInt()
  @Min(500)
  @Max(120_000)
  publishTimeoutMs: number;

  @Env({
    name: 'KAFKA_PUBLISHER_STUCK_SECONDS',
    description:
      'Seconds without a single message acknowledged, of all that were tried, after which a process is unready.',
    default: '30',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  publisherStuckSeconds: number;

  @Env({
    name: 'KAFKA_SESSION_TIMEOUT_MS',
    description: 'Milliseconds without a heartbeat after which the partitions of a process that died go to others.',
    default: '10000',
  })
  @IsInt()
  @Min(6000)
  @Max(300_000)
  sessionTimeoutMs: number;
}
