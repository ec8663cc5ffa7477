/* version - what this build calls itself, in metrics and documents. */
#ifndef HOOKSWITCH_BASE_VERSION_H
#define HOOKSWITCH_BASE_VERSION_H

#define HOOKSWITCH_VERSION "0.1.0"

#endif
