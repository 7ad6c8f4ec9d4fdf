import { defineConfig } from 'vitest/config';

// Loading the CDK library costs seconds: the files share one process, so that it is loaded once.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/scratch.ts',
    pool: 'forks',
    poolOptions: { forks: { singleFork: true, isolate: false } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
