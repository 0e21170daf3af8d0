import { describeMissing, go, java, maven, missingTools, python, type Ask } from './tools';

const machine =
  (output: Record<string, string>): Ask =>
  (command) =>
    output[command];

const outputs = {
  java: 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment',
  mvn: 'Apache Maven 3.8.7',
  python3: '',
  go: 'go version go1.26.0 linux/amd64',
};

describe('what the machine must have', () => {
  it('is content with a machine that has it', () => {
    expect(missingTools([java, maven, python, go], machine(outputs))).toEqual([]);
  });

  it('names what is missing, each once', () => {
    expect(missingTools([java, maven, java, python], machine({ mvn: outputs.mvn }))).toEqual([java, python]);
  });

  it.each([
    ['java', 'java version "1.8.0_202"'],
    ['java', 'openjdk version "11.0.2" 2019-01-15'],
    ['java', 'something else'],
    ['go', 'go version go1.19.8 linux/amd64'],
    ['go', 'go version devel'],
  ])('refuses an old %s: %s', (command, output) => {
    expect(missingTools([java, go], machine({ ...outputs, [command]: output })).map((tool) => tool.command)).toEqual([
      command,
    ]);
  });

  it.each([
    ['java', 'openjdk version "25" 2025-09-16'],
    ['go', 'go version go1.21 darwin/arm64'],
    ['go', 'go version go2.0 linux/amd64'],
  ])('accepts another %s: %s', (command, output) => {
    expect(missingTools([java, go], machine({ ...outputs, [command]: output }))).toEqual([]);
  });

  it('says how to get all of it at once, and what else would do', () => {
    const text = describeMissing([java, maven, python, go]);
    expect(text).toContain('Java 17 or newer (runs Kafka)');
    expect(text).toContain('macOS:          brew install maven');
    expect(text).toContain('Debian, Ubuntu: https://go.dev/dl');
    expect(text).toContain('together: apt-get install openjdk-17-jre-headless maven python3-venv\n');
    for (const other of ['Docker', 'KAFKA_BROKERS', 'DATABASE_URL', 'S3_ENDPOINT', 'GCS_ENDPOINT']) {
      expect(text).toContain(other);
    }
  });
});
