"""What tests of several rooms share: values as short as a test wants them, and what keeps tests to themselves."""
