/* The version of both programs, in its only place. */
#ifndef CDOP_VERSION_H
#define CDOP_VERSION_H

#define CDOP_VERSION "0.1.0"

#endif
