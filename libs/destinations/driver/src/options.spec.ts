import { IsOptional, IsString, Length } from 'class-validator';
import { checkOptions, Secret, secretOptions } from './options';

class KeyOptions {
  @IsString()
  user!: string;

  @Secret()
  @IsString()
  @Length(20, 40)
  password!: string;

  @IsOptional()
  @IsString()
  note?: string;
}

describe('checkOptions', () => {
  it('names every fault and never a value', () => {
    const given = Object.assign({ user: 'u', password: 'canary' }, { user: 7, extra: 'canary' });
    let message = '';
    try {
      checkOptions(KeyOptions, Object.assign(new KeyOptions(), given), 'The key');
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('The key cannot be used');
    expect(message).toContain('user must be a string');
    expect(message).toContain('password must be longer than or equal to 20 characters');
    expect(message).toContain('property extra should not exist');
    expect(message).not.toContain('canary');
  });

  it('knows which options are secret', () => {
    expect([...secretOptions(KeyOptions)]).toEqual(['password']);
  });
});
