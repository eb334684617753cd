#include "sensor/file/file_decode.h"

#include <cstddef>
#include <string>

#include "redoubt/event.pb.h"
#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

const char* file_action_name(uint32_t action) {
  switch (action) {
    case RD_FILE_CREATE: return "create";
    case RD_FILE_WRITE: return "write";
    case RD_FILE_RENAME: return "rename";
    case RD_FILE_DELETE: return "delete";
    default: return nullptr;
  }
}

void describe_path(const std::string& path, v1::Event& event) {
  const std::string_view name = name_of_path(path);
  const size_t directory = path.size() - name.size();
  event.set_file_path(path);
  event.set_file_name(std::string(name));
  event.set_file_directory(directory > 1 ? path.substr(0, directory - 1) : "/");
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0 && dot + 1 < name.size()) {
    event.set_file_extension(std::string(name.substr(dot + 1)));
  }
}

std::string given_path(std::string_view base, std::string_view given) {
  if (given.ends_with('\0')) given.remove_suffix(1);
  return field_text(resolve_path(path_from_components(base), given));
}

}  // namespace

Decoded decode_file(std::string_view record, v1::Event& event) {
  constexpr size_t kFixed = offsetof(rd_file, data);
  if (record.size() < kFixed) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_file*>(record.data());
  const size_t sizes[] = {raw.directory_bytes, raw.given_bytes, raw.to_directory_bytes, raw.to_given_bytes};
  std::string_view parts[4];
  std::string_view rest = record.substr(kFixed);
  for (size_t i = 0; i < 4; ++i) {
    if (rest.size() < sizes[i]) return Decoded::malformed;
    parts[i] = rest.substr(0, sizes[i]);
    rest.remove_prefix(sizes[i]);
  }
  const char* action = file_action_name(raw.action);
  if (action == nullptr) return Decoded::malformed;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action(action);
  if (raw.action == RD_FILE_RENAME) {
    event.set_file_previous_path(given_path(parts[0], parts[1]));
    describe_path(given_path(parts[2], parts[3]), event);
  } else if (raw.action == RD_FILE_DELETE) {
    describe_path(given_path(parts[0], parts[1]), event);
  } else {
    describe_path(field_text(path_from_components(parts[0])), event);
    event.set_file_inode(static_cast<int64_t>(raw.inode));
    event.set_file_size(static_cast<int64_t>(raw.size));
  }
  return Decoded::yes;
}

}  // namespace redoubt::sensor
