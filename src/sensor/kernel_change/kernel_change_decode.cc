#include "sensor/kernel_change/kernel_change_decode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "redoubt/event.pb.h"
#include "sensor/kernel_change/kernel_change_record.h"
#include "sensor/path_text.h"
#include "sensor/privilege/privilege_decode.h"

namespace redoubt::sensor {

namespace {

// What the texts of a record of the call are.
enum class About { nothing, mount_point, loaded_file, module, program };

struct ChangeRow {
  std::string_view call;
  v1::EventType type;
  About about;
};

constexpr auto kChanges = std::to_array<ChangeRow>({
    {"mount", v1::EVENT_TYPE_MOUNT, About::mount_point},
    {"move_mount", v1::EVENT_TYPE_MOUNT, About::mount_point},
    {"umount", v1::EVENT_TYPE_MOUNT, About::mount_point},
    {"umount2", v1::EVENT_TYPE_MOUNT, About::mount_point},
    {"init_module", v1::EVENT_TYPE_MODULE, About::nothing},
    {"finit_module", v1::EVENT_TYPE_MODULE, About::loaded_file},
    {"delete_module", v1::EVENT_TYPE_MODULE, About::module},
    {"bpf", v1::EVENT_TYPE_BPF, About::program},
    {"kexec_load", v1::EVENT_TYPE_KERNEL, About::nothing},
    {"kexec_file_load", v1::EVENT_TYPE_KERNEL, About::loaded_file},
    {"userfaultfd", v1::EVENT_TYPE_KERNEL, About::nothing},
    {"io_uring_setup", v1::EVENT_TYPE_KERNEL, About::nothing},
});

// enum bpf_prog_type of linux/bpf.h, by number.
constexpr auto kProgramTypes = std::to_array<std::string_view>({
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
});

// A text of the record: without the NUL behind it.
std::string text_of(std::string_view bytes) {
  if (bytes.ends_with('\0')) bytes.remove_suffix(1);
  return field_text(bytes);
}

struct Texts {
  std::string_view base;
  std::string_view target;
  std::string_view source;
  std::string_view name;
};

void set_path(const std::string& path, v1::Event& event) {
  const std::string_view name = name_of_path(path);
  event.set_file_path(path);
  event.set_file_name(std::string(name));
  const size_t directory = path.size() - name.size();
  event.set_file_directory(directory > 1 ? path.substr(0, directory - 1) : "/");
}

std::string mount_point_of(const Texts& texts) {
  std::string_view given = texts.target;
  if (given.ends_with('\0')) given.remove_suffix(1);
  return field_text(resolve_path(path_from_components(texts.base), given));
}

std::string program_type_name(uint32_t type) {
  return type < kProgramTypes.size() ? std::string(kProgramTypes[type]) : std::to_string(type);
}

void describe_texts(const Texts& texts, About about, v1::Event& event) {
  switch (about) {
    case About::nothing: return;
    case About::mount_point:
      set_path(mount_point_of(texts), event);
      if (texts.source.size() > 1) event.set_mount_source(text_of(texts.source));
      if (texts.name.size() > 1) event.set_mount_type(text_of(texts.name));
      return;
    case About::loaded_file:
      if (!texts.base.empty()) set_path(field_text(path_from_components(texts.base)), event);
      return;
    case About::module: event.set_module_name(text_of(texts.name)); return;
    case About::program:
      if (texts.name.size() > 1) event.set_bpf_program_name(text_of(texts.name));
  }
}

}  // namespace

const rd_context& context_of(std::string_view kernel_change) {
  return reinterpret_cast<const rd_kernel*>(kernel_change.data())->context;
}

Decoded decode_kernel_change(std::string_view record, v1::Event& event) {
  constexpr size_t kFixed = offsetof(rd_kernel, data);
  if (record.size() < kFixed) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_kernel*>(record.data());
  std::string_view rest = record.substr(kFixed);
  if (rest.size() < size_t{raw.base_bytes} + raw.target_bytes + raw.source_bytes + raw.name_bytes) {
    return Decoded::malformed;
  }
  const auto next = [&rest](size_t size) {
    const std::string_view part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  const std::string_view call = call_name(raw.call);
  const auto* const row =
      std::find_if(kChanges.begin(), kChanges.end(), [&](const ChangeRow& each) { return each.call == call; });
  if (row == kChanges.end()) return Decoded::malformed;
  event.set_event_type(row->type);
  event.set_event_action(std::string(call));
  Texts texts;
  texts.base = next(raw.base_bytes);
  texts.target = next(raw.target_bytes);
  texts.source = next(raw.source_bytes);
  texts.name = next(raw.name_bytes);
  describe_texts(texts, row->about, event);
  if (row->about == About::program) event.set_bpf_program_type(program_type_name(raw.program_type));
  return Decoded::yes;
}

}  // namespace redoubt::sensor
