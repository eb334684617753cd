#include "sensor/libbpf_log.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kLogBytesMax = 1024;
constexpr size_t kLogHeadBytes = 128;

// libbpf prints through one function for the whole process, and tells by no other way which program it was.
std::mutex refused_mutex;
std::string refused_program;

// "prog 'NAME': failed to load: -22", "prog 'NAME': failed to find kernel BTF type ID of …".
void note_refused(std::string_view text) {
  constexpr std::string_view kBegin = "libbpf: prog '";
  constexpr std::string_view kEnd = "': failed to ";
  const size_t end = text.find(kEnd);
  if (!text.starts_with(kBegin) || end == std::string_view::npos) return;
  const std::lock_guard lock(refused_mutex);
  if (refused_program.empty()) refused_program = text.substr(kBegin.size(), end - kBegin.size());
}

// A refusal of the verifier is long, and its reason stands at the end.
int log_complaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::max(vsnprintf(nullptr, 0, format, again), 0)) + 1, '\0');
  va_end(again);
  text.resize(static_cast<size_t>(std::max(vsnprintf(text.data(), text.size(), format, arguments), 0)));
  while (text.ends_with('\n')) text.pop_back();
  note_refused(text);
  if (text.size() > kLogBytesMax) {
    text = text.substr(0, kLogHeadBytes) + " … " + text.substr(text.size() - (kLogBytesMax - kLogHeadBytes));
  }
  base::log_warning("sensor", text);
  return 0;
}

}  // namespace

void log_libbpf() { libbpf_set_print(log_complaint); }

std::string take_refused_program() {
  const std::lock_guard lock(refused_mutex);
  return std::exchange(refused_program, {});
}

}  // namespace redoubt::sensor
