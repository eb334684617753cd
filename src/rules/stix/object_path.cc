#include "rules/stix/object_path.h"

#include <algorithm>
#include <array>

namespace redoubt::rules::stix {

namespace {

using event::Field;

struct PathRow {
  std::string_view path;
  Entity entity;
  Field field;
};

// A path that stands in several rows is any of them. A file is the one of a file event, and the program file of a
// process that starts; an address is the one on the other side.
constexpr auto kPaths = std::to_array<PathRow>({
    {"file:name", Entity::file, Field::file_name},
    {"file:name", Entity::started_process, Field::process_name},
    {"file:size", Entity::file, Field::file_size},
    {"file:hashes.SHA-256", Entity::started_process, Field::process_hash_sha256},
    {"file:hashes.SHA-256", Entity::file, Field::file_hash_sha256},
    {"file:hashes.SHA-256", Entity::loaded_file, Field::file_hash_sha256},
    {"file:hashes.SHA256", Entity::started_process, Field::process_hash_sha256},
    {"file:hashes.SHA256", Entity::file, Field::file_hash_sha256},
    {"file:hashes.SHA256", Entity::loaded_file, Field::file_hash_sha256},
    {"file:hashes.sha256", Entity::started_process, Field::process_hash_sha256},
    {"file:hashes.sha256", Entity::file, Field::file_hash_sha256},
    {"file:hashes.sha256", Entity::loaded_file, Field::file_hash_sha256},
    {"file:hashes.SHA-1", Entity::started_process, Field::process_hash_sha1},
    {"file:hashes.SHA-1", Entity::file, Field::file_hash_sha1},
    {"file:hashes.SHA-1", Entity::loaded_file, Field::file_hash_sha1},
    {"file:hashes.SHA1", Entity::started_process, Field::process_hash_sha1},
    {"file:hashes.SHA1", Entity::file, Field::file_hash_sha1},
    {"file:hashes.SHA1", Entity::loaded_file, Field::file_hash_sha1},
    {"file:hashes.sha1", Entity::started_process, Field::process_hash_sha1},
    {"file:hashes.sha1", Entity::file, Field::file_hash_sha1},
    {"file:hashes.sha1", Entity::loaded_file, Field::file_hash_sha1},
    {"file:hashes.MD5", Entity::started_process, Field::process_hash_md5},
    {"file:hashes.MD5", Entity::file, Field::file_hash_md5},
    {"file:hashes.MD5", Entity::loaded_file, Field::file_hash_md5},
    {"file:hashes.md5", Entity::started_process, Field::process_hash_md5},
    {"file:hashes.md5", Entity::file, Field::file_hash_md5},
    {"file:hashes.md5", Entity::loaded_file, Field::file_hash_md5},
    {"file:parent_directory_ref.path", Entity::file, Field::file_directory},
    {"directory:path", Entity::file, Field::file_directory},

    {"process:pid", Entity::acting_process, Field::process_pid},
    {"process:name", Entity::acting_process, Field::process_name},
    {"process:command_line", Entity::acting_process, Field::process_command_line},
    {"process:cwd", Entity::acting_process, Field::process_working_directory},
    {"process:created_time", Entity::acting_process, Field::process_start},
    {"process:image_ref.name", Entity::acting_process, Field::process_name},
    {"process:image_ref.hashes.SHA-256", Entity::acting_process, Field::process_hash_sha256},
    {"process:binary_ref.name", Entity::acting_process, Field::process_name},
    {"process:binary_ref.hashes.SHA-256", Entity::acting_process, Field::process_hash_sha256},
    {"process:creator_user_ref.user_id", Entity::acting_process, Field::user_id},
    {"process:creator_user_ref.account_login", Entity::acting_process, Field::user_name},
    {"process:parent_ref.pid", Entity::acting_process, Field::process_parent_pid},
    {"process:parent_ref.command_line", Entity::acting_process, Field::process_parent_command_line},
    {"process:parent_ref.image_ref.name", Entity::acting_process, Field::process_parent_name},
    {"process:parent_ref.binary_ref.name", Entity::acting_process, Field::process_parent_name},
    {"user-account:user_id", Entity::started_process, Field::user_id},
    {"user-account:account_login", Entity::started_process, Field::user_name},

    {"ipv4-addr:value", Entity::outbound, Field::destination_ip},
    {"ipv4-addr:value", Entity::inbound, Field::source_ip},
    {"ipv6-addr:value", Entity::outbound, Field::destination_ip},
    {"ipv6-addr:value", Entity::inbound, Field::source_ip},
    {"network-traffic:src_ref.value", Entity::connection, Field::source_ip},
    {"network-traffic:src_port", Entity::connection, Field::source_port},
    {"network-traffic:dst_ref.value", Entity::connection, Field::destination_ip},
    {"network-traffic:dst_port", Entity::connection, Field::destination_port},
    {"domain-name:value", Entity::looked_up_name, Field::dns_question_name},
    {"domain-name:value", Entity::outbound, Field::destination_domain},
    {"url:value", Entity::log_record, Field::attributes},
    {"windows-registry-key:key", Entity::registry_value, Field::registry_path},
    {"windows-registry-key:values[*].data", Entity::registry_value, Field::registry_data},
    {"network-traffic:protocols", Entity::connection, Field::network_transport},
});

struct Absence {
  std::string_view start;  // of the path
  std::string_view why;
};

constexpr auto kAbsences = std::to_array<Absence>({
    {"file:hashes", "events carry SHA-256, SHA-1 and MD5"},
    {"process:image_ref.hashes", "of acting processes events carry SHA-256"},
    {"process:binary_ref.hashes", "of acting processes events carry SHA-256"},
    {"domain-name:", "name look-ups do not say it"},
    {"url:", "records of logs do not say it"},
    {"network-traffic:extensions", "the content of connections is not captured"},
    {"email", "mail is not captured"},
    {"windows-registry-key:", "records of the registry do not say it"},
    {"x509-certificate:", "certificates of connections are not captured"},
    {"mutex:", "there are no named mutexes on Linux"},
    {"mac-addr:", "hardware addresses are not captured"},
    {"artifact:", "no event says what stands inside a file"},
});

}  // namespace

std::vector<Property> properties_of(std::string_view path) {
  std::vector<Property> properties;
  for (const PathRow& row : kPaths) {
    if (row.path == path) properties.push_back({.entity = row.entity, .field = row.field});
  }
  return properties;
}

std::string why_unsupported(std::string_view path) {
  const auto* const found = std::find_if(kAbsences.begin(), kAbsences.end(),
                                         [path](const Absence& row) { return path.starts_with(row.start); });
  return found == kAbsences.end() ? "no event here has it" : std::string(found->why);
}

}  // namespace redoubt::rules::stix
