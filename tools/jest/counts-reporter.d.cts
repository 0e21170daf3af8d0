interface Suite {
  testFilePath: string;
  failureMessage: string | null;
  numFailingTests: number;
  testResults: { fullName: string; status: string }[];
}

declare class CountsReporter {
  static countsOf(results: { testResults: Suite[] }): { passed: number; failed: string[] };
}

export = CountsReporter;
