import { isWedged } from './wedged';

describe('isWedged', () => {
  const never = () => new Promise<never>(() => undefined);
  const gone = async () => {
    throw new Error('gone');
  };

  it('is true only of calls that hang while all that they use answers', async () => {
    await expect(isWedged(['plan'], async () => 'here', 1000)).resolves.toBe(true);
    await expect(isWedged(['plan'], gone, 1000)).resolves.toBe(false);
    await expect(isWedged(['plan'], never, 5)).resolves.toBe(false);
  });

  it('asks nobody while all goes well', async () => {
    const asked = jest.fn(gone);
    await expect(isWedged([], asked, 5)).resolves.toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });
});
