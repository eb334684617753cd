#include "sensor/libbpf_log.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "base/log.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kLogBytesMax = 1024;
constexpr size_t kLogHeadBytes = 128;

// A refusal of the verifier is long, and its reason stands at the end.
int log_complaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::max(vsnprintf(nullptr, 0, format, again), 0)) + 1, '\0');
  va_end(again);
  text.resize(static_cast<size_t>(std::max(vsnprintf(text.data(), text.size(), format, arguments), 0)));
  while (text.ends_with('\n')) text.pop_back();
  if (text.size() > kLogBytesMax) {
    text = text.substr(0, kLogHeadBytes) + " … " + text.substr(text.size() - (kLogBytesMax - kLogHeadBytes));
  }
  base::log_warning("sensor", text);
  return 0;
}

}  // namespace

void log_libbpf() { libbpf_set_print(log_complaint); }

}  // namespace redoubt::sensor
