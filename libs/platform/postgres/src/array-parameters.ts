import { BinaryValues } from './binary-values';

/**
 * Arrays as parameters in Postgres's binary format, for statements like `unnest($1::text[], $2::bigint[])`. Neither side has to
 * quote and parse their text, which for some thousand values costs more than what is done with them.
 */
export const arrays = {
  text: arraysOf<string>(25, (array, value) => array.text(value)),
  bool: arraysOf<boolean>(16, (array, value) => array.bool(value)),
  int2: arraysOf<number>(21, (array, value) => array.int2(value)),
  int4: arraysOf<number>(23, (array, value) => array.int4(value)),
  int8: arraysOf<bigint>(20, (array, value) => array.int8(value)),
  /** UTC days of instants in milliseconds since 1970. */
  date: arraysOf<number>(1082, (array, value) => array.date(value)),
  /** Instants in milliseconds since 1970. */
  timestamptz: arraysOf<number>(1184, (array, value) => array.timestamptz(value)),
};

/**
 * @param type - the object id that every Postgres has given the elements' type (`pg_type.dat`): the server refuses an array of
 * another type than the statement names.
 */
function arraysOf<T>(type: number, write: (array: BinaryValues, value: T) => void) {
  return (values: readonly (T | null)[]): Buffer => {
    const array = new ArrayBytes(type, values.length);
    for (const value of values) {
      if (value === null) array.null();
      else write(array, value);
    }
    return array.take();
  };
}

/** One dimension from 1, as `array_recv` reads it (src/backend/utils/adt/arrayfuncs.c). */
class ArrayBytes extends BinaryValues {
  constructor(type: number, length: number) {
    super(header + length * usualBytes);
    const words = length === 0 ? [0, 0, type] : [1, 1, type, length, 1];
    for (const word of words) this.length = this.bytes.writeInt32BE(word, this.length);
  }
}

const header = 20;
/** Of a value with its length: an id, mostly. */
const usualBytes = 40;
