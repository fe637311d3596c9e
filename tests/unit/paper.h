/* Files of the tree that tests hold the program against: run at its top. */
#ifndef CDOP_TESTS_PAPER_H
#define CDOP_TESTS_PAPER_H

/* The whole of one, for the caller to free. */
char *paper_read(const char *path);

/* Between a line that begins it and one that ends it a file has this text. */
void paper_has(
    const char *path, const char *begin, const char *end, const char *text);

#endif
