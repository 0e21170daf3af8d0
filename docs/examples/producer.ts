// Publishes one consent event: npm install kafkajs && node producer.ts (Node 22.18 or newer)
import { randomUUID } from 'node:crypto';
import { Kafka, Partitioners } from 'kafkajs';

const { KAFKA_BROKERS = '127.0.0.1:19092', TOPIC = 'consent.events.v1' } = process.env;
const event = {
  organization_id: 'demo', // yours; this one is made by npm start
  id: randomUUID(), // kept for every retry of this event: of two with one id, the first is recorded
  created_at: new Date().toISOString(),
  user: { organization_user_id: 'jane@example.org', organization_user_id_type: 'email' },
  consents: { purposes: [{ id: 'newsletter', enabled: true }] },
};
const producer = new Kafka({ clientId: 'example', brokers: KAFKA_BROKERS.split(',') }).producer({
  idempotent: true,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await producer.connect();
const key = `${event.organization_id}:${event.user.organization_user_id}`; // one user, one partition: in order
const [sent] = await producer.send({ topic: TOPIC, acks: -1, messages: [{ key, value: JSON.stringify(event) }] });
await producer.disconnect();
console.log(`${event.id} is at offset ${sent?.baseOffset} of partition ${sent?.partition}`);
