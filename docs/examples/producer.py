"""Publishes one consent event: pip install confluent-kafka && python producer.py"""
import json, os, uuid
from datetime import datetime, timezone
from confluent_kafka import Producer

event = {
    "organization_id": "demo",  # yours; this one is made by npm start
    "id": str(uuid.uuid4()),  # kept for every retry of this event: of two with one id, the first is recorded
    "created_at": datetime.now(timezone.utc).isoformat(),
    "user": {"organization_user_id": "jane@example.org", "organization_user_id_type": "email"},
    "consents": {"purposes": [{"id": "newsletter", "enabled": True}]},
}


def done(error, message):
    print(error or f"{event['id']} is at offset {message.offset()} of partition {message.partition()}")


brokers = os.environ.get("KAFKA_BROKERS", "127.0.0.1:19092")
# The partitioner of Java clients: all events of a user in one partition, whichever client sends them.
producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "partitioner": "murmur2_random"})
key = f"{event['organization_id']}:{event['user']['organization_user_id']}"
producer.produce(os.environ.get("TOPIC", "consent.events.v1"), json.dumps(event), key, on_delivery=done)
raise SystemExit(producer.flush(30))
