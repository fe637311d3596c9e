/* Where files lie that are made for every input. */
#ifndef CDOP_TESTS_FUZZ_LIB_QUICK_H
#define CDOP_TESTS_FUZZ_LIB_QUICK_H

/* Memory, where there is enough of it behind a path; else /tmp. */
const char *quick_top(void);

#endif
