#include "sensor/file/file_decode.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "redoubt/event.pb.h"
#include "sensor/file/open_flags.h"
#include "sensor/file/path_resolver.h"
#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

enum class PathFrom { kernel, caller };

struct FileActionRow {
  uint32_t action;
  const char* name;
  PathFrom from;
  LastLink last;  // of the file's path, where the caller gave it
};

constexpr std::array kFileActions = {
    FileActionRow{RD_FILE_CREATE, "create", PathFrom::kernel, LastLink::followed},
    FileActionRow{RD_FILE_WRITE, "write", PathFrom::kernel, LastLink::followed},
    FileActionRow{RD_FILE_READ, "read", PathFrom::kernel, LastLink::followed},
    FileActionRow{RD_FILE_CHANGE, "change", PathFrom::kernel, LastLink::followed},
    FileActionRow{RD_FILE_RENAME, "rename", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_DELETE, "delete", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_MKDIR, "mkdir", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_RMDIR, "rmdir", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_LINK, "link", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_SYMLINK, "symlink", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_PERMISSION, "permission", PathFrom::caller, LastLink::followed},
    FileActionRow{RD_FILE_OWNER, "owner", PathFrom::caller, LastLink::followed},
    FileActionRow{RD_FILE_TRUNCATE, "truncate", PathFrom::caller, LastLink::followed},
    FileActionRow{RD_FILE_MKNOD, "mknod", PathFrom::caller, LastLink::kept},
    FileActionRow{RD_FILE_DENIED, "denied", PathFrom::caller, LastLink::followed},
    FileActionRow{RD_FILE_CONNECT, "connect", PathFrom::caller, LastLink::followed},
};

struct FileRecord {
  const rd_file& raw;
  std::string_view path;
  std::string_view base;
  std::string_view given;
  std::string_view to_base;
  std::string_view to_given;
  std::string_view to_path;
};

// A path, and what the caller called it where that is another.
struct FoundPath {
  std::string real;
  std::string claimed;
};

std::string_view without_nul(std::string_view text) {
  if (text.ends_with('\0')) text.remove_suffix(1);
  return text;
}

bool steps_back(std::string_view given) {
  return given == ".." || given.starts_with("../") || given.ends_with("/..") ||
         given.find("/../") != std::string_view::npos;
}

// `real`, and the claim unless it is the same but for "." and doubled slashes.
FoundPath compare(std::string real, const std::string& base, std::string_view given) {
  FoundPath found{.real = std::move(real), .claimed = ""};
  if (given.empty()) return found;
  if (resolve_path(base, given) == found.real && !steps_back(given)) return found;
  found.claimed = (base == "/" ? "" : base) + (given.starts_with('/') ? "" : "/") + std::string(given);
  return found;
}

// One name in a directory that the kernel told needs no looking up.
bool is_plain_name(std::string_view given) {
  return given.find('/') == std::string_view::npos && given != "." && given != "..";
}

FoundPath look_up(const FileRecord& record, std::string_view base_parts, std::string_view given, LastLink last,
                  PathResolver& resolver) {
  const std::string base = path_from_components(base_parts);
  const bool is_known = given.empty() || (last == LastLink::kept && is_plain_name(given));
  std::optional<std::string> real;
  if (!is_known) {
    real = resolver.resolve({.pid = record.raw.head.actor.pid,
                             .parent_pid = record.raw.head.actor.parent_pid,
                             .mount_namespace = record.raw.mount_namespace,
                             .base = base,
                             .given = std::string(given),
                             .last = last});
  }
  return compare(real ? *std::move(real) : resolve_path(base, given), base, given);
}

void describe_path(const FoundPath& found, v1::Event& event) {
  const std::string path = field_text(found.real);
  const std::string_view name = name_of_path(path);
  const size_t directory = path.size() - name.size();
  event.set_file_path(path);
  event.set_file_name(std::string(name));
  event.set_file_directory(directory > 1 ? path.substr(0, directory - 1) : "/");
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0 && dot + 1 < name.size()) {
    event.set_file_extension(std::string(name.substr(dot + 1)));
  }
  if (!found.claimed.empty()) event.set_file_claimed_path(field_text(found.claimed));
}

const char* type_name(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "dir";
    case S_IFLNK: return "symlink";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    case S_IFCHR: return "char";
    case S_IFBLK: return "block";
    default: return nullptr;
  }
}

std::string octal_mode(uint32_t mode) {
  constexpr uint32_t kPermissionBits = 07777;
  std::string digits(4, '0');
  uint32_t rest = mode & kPermissionBits;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, rest >>= 3) {
    *digit = static_cast<char>('0' + (rest & 7));
  }
  return digits;
}

// Whether the call says or the kernel knows the permissions of the file.
bool has_mode(const rd_file& raw) {
  return raw.inode != 0 || raw.action == RD_FILE_PERMISSION || raw.action == RD_FILE_MKDIR ||
         raw.action == RD_FILE_MKNOD;
}

void describe_file(const rd_file& raw, v1::Event& event) {
  const bool is_open = raw.action == RD_FILE_CREATE || raw.action == RD_FILE_WRITE || raw.action == RD_FILE_READ ||
                       raw.action == RD_FILE_DENIED;
  if (raw.inode != 0) event.set_file_inode(static_cast<int64_t>(raw.inode));
  if (raw.inode != 0 || raw.action == RD_FILE_TRUNCATE) event.set_file_size(static_cast<int64_t>(raw.size));
  if (has_mode(raw)) event.set_file_mode(octal_mode(raw.mode));
  if (const char* type = type_name(raw.mode)) event.set_file_type(type);
  if (raw.uid != RD_ID_UNCHANGED) event.set_file_uid(raw.uid);
  if (raw.gid != RD_ID_UNCHANGED) event.set_file_gid(raw.gid);
  if (is_open) event.set_file_open_flags(open_flags_text(raw.flags));
  if (raw.action == RD_FILE_MKNOD && (S_ISCHR(raw.mode) || S_ISBLK(raw.mode))) {
    event.set_file_device(std::to_string(major(raw.device)) + ":" + std::to_string(minor(raw.device)));
  }
  if (raw.error != 0) event.set_error_code(raw.error == EPERM ? "EPERM" : "EACCES");
  if (raw.count > 1) event.set_event_count(raw.count);
}

// A name: the path where the kernel told it, or else what the caller's is found to be.
FoundPath find_name(const FileRecord& record, LastLink last, PathResolver& resolver) {
  if (record.path.empty()) return look_up(record, record.base, record.given, last, resolver);
  return compare(path_from_components(record.path), path_from_components(record.base), record.given);
}

FoundPath find_second_name(const FileRecord& record, PathResolver& resolver) {
  if (record.to_path.empty()) return look_up(record, record.to_base, record.to_given, LastLink::kept, resolver);
  return compare(path_from_components(record.to_path), path_from_components(record.to_base), record.to_given);
}

// The second name, and what was known under the first.
void describe_pair(const FileRecord& record, PathResolver& resolver, v1::Event& event) {
  const bool follows = record.raw.action == RD_FILE_LINK && (record.raw.flags & AT_SYMLINK_FOLLOW) != 0;
  const FoundPath from = find_name(record, follows ? LastLink::followed : LastLink::kept, resolver);
  describe_path(find_second_name(record, resolver), event);
  if (record.raw.action == RD_FILE_RENAME) {
    event.set_file_previous_path(field_text(from.real));
  } else {
    event.set_file_target_path(field_text(from.real));
  }
}

// As ss writes it: a zero byte, such as the one that it begins with, is an "@".
std::string socket_name(std::string_view name) {
  std::string text = "@" + std::string(name);
  std::replace(text.begin(), text.end(), '\0', '@');
  return field_text(text);
}

bool has_socket_name(const rd_file& raw) { return raw.action == RD_FILE_CONNECT && (raw.flags & RD_UNIX_NAME) != 0; }

void describe_names(const FileRecord& record, const FileActionRow& row, PathResolver& resolver, v1::Event& event) {
  if (row.from == PathFrom::kernel) {
    const std::string base = path_from_components(record.base);
    return describe_path(compare(path_from_components(record.path), base, record.given), event);
  }
  if (row.action == RD_FILE_RENAME || row.action == RD_FILE_LINK) return describe_pair(record, resolver, event);
  const uint32_t nofollow = row.action == RD_FILE_DENIED ? O_NOFOLLOW : AT_SYMLINK_NOFOLLOW;
  const bool keeps = row.last == LastLink::kept || (record.raw.flags & nofollow) != 0;
  describe_path(find_name(record, keeps ? LastLink::kept : LastLink::followed, resolver), event);
  if (row.action == RD_FILE_SYMLINK) event.set_file_target_path(field_text(record.to_given));
}

}  // namespace

Decoded decode_file(std::string_view bytes, PathResolver& resolver, v1::Event& event) {
  constexpr size_t kFixed = offsetof(rd_file, data);
  if (bytes.size() < kFixed) return Decoded::malformed;
  FileRecord record{.raw = *reinterpret_cast<const rd_file*>(bytes.data())};
  std::string_view rest = bytes.substr(kFixed);
  const std::pair<uint16_t, std::string_view*> parts[] = {
      {record.raw.path_bytes, &record.path},         {record.raw.base_bytes, &record.base},
      {record.raw.given_bytes, &record.given},       {record.raw.to_base_bytes, &record.to_base},
      {record.raw.to_given_bytes, &record.to_given}, {record.raw.to_path_bytes, &record.to_path}};
  for (const auto& [size, part] : parts) {
    if (rest.size() < size) return Decoded::malformed;
    *part = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  if (has_socket_name(record.raw)) {
    event.set_socket_name(socket_name(record.given));
    event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
    event.set_event_action("connect");
    describe_file(record.raw, event);
    return Decoded::yes;
  }
  record.given = without_nul(record.given);
  record.to_given = without_nul(record.to_given);
  const auto row = std::find_if(kFileActions.begin(), kFileActions.end(),
                                [&](const FileActionRow& each) { return each.action == record.raw.action; });
  if (row == kFileActions.end()) return Decoded::malformed;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action(row->name);
  describe_names(record, *row, resolver, event);
  describe_file(record.raw, event);
  return Decoded::yes;
}

uint32_t file_actions_in(std::span<const std::string> unwanted) {
  uint32_t actions = 0;
  for (const FileActionRow& row : kFileActions) {
    const bool is_named = std::any_of(unwanted.begin(), unwanted.end(), [&](const std::string& name) {
      return name == "filechange." + std::string(row.name);
    });
    if (is_named) actions |= 1U << row.action;
  }
  return actions;
}

}  // namespace redoubt::sensor
