#include "base/processor.h"

#include <unistd.h>

#include <cstdio>

namespace redoubt::base {

void require_processor() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("popcnt") != 0) return;
  std::fputs("redoubt: this processor has no SSE 4.2 and POPCNT (x86-64-v2); choose another one for this machine\n",
             stderr);
  _exit(1);
#endif
}

}  // namespace redoubt::base
