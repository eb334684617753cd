#include "rules/openioc/term.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace redoubt::rules::openioc {

namespace {

using event::Field;

struct TermRow {
  std::string_view term;
  Entity entity;
  Field field;
};

// A term that stands in several rows is any of them. FileItem is the file of a file event, and the program file of a
// process that starts. Names and types after iocterms/current.iocterms and eventitem.iocterms.
constexpr auto kTerms = std::to_array<TermRow>({
    {"FileItem/FullPath", Entity::file, Field::file_path},
    {"FileItem/FullPath", Entity::started_process, Field::process_executable},
    {"FileItem/FilePath", Entity::file, Field::file_directory},
    {"FileItem/FileName", Entity::file, Field::file_name},
    {"FileItem/FileName", Entity::started_process, Field::process_name},
    {"FileItem/FileExtension", Entity::file, Field::file_extension},
    {"FileItem/SizeInBytes", Entity::file, Field::file_size},
    {"FileItem/INode", Entity::file, Field::file_inode},
    {"FileItem/Sha256sum", Entity::started_process, Field::process_hash_sha256},
    {"FileItem/Sha256sum", Entity::file, Field::file_hash_sha256},
    {"FileItem/Sha256sum", Entity::loaded_file, Field::file_hash_sha256},
    {"FileItem/Md5sum", Entity::started_process, Field::process_hash_md5},
    {"FileItem/Md5sum", Entity::file, Field::file_hash_md5},
    {"FileItem/Md5sum", Entity::loaded_file, Field::file_hash_md5},
    {"FileItem/Sha1sum", Entity::started_process, Field::process_hash_sha1},
    {"FileItem/Sha1sum", Entity::file, Field::file_hash_sha1},
    {"FileItem/Sha1sum", Entity::loaded_file, Field::file_hash_sha1},
    {"FileItem/FullPath", Entity::loaded_file, Field::file_path},
    {"FileItem/FileName", Entity::loaded_file, Field::file_name},

    {"ProcessItem/pid", Entity::acting_process, Field::process_pid},
    {"ProcessItem/parentpid", Entity::acting_process, Field::process_parent_pid},
    {"ProcessItem/name", Entity::acting_process, Field::process_name},
    {"ProcessItem/path", Entity::acting_process, Field::process_executable},
    {"ProcessItem/arguments", Entity::acting_process, Field::process_command_line},
    {"ProcessItem/Username", Entity::acting_process, Field::user_name},
    {"ProcessItem/startTime", Entity::acting_process, Field::process_start},
    {"ProcessItem/PortList/PortItem/localIP", Entity::outbound, Field::source_ip},
    {"ProcessItem/PortList/PortItem/localIP", Entity::inbound, Field::destination_ip},
    {"ProcessItem/PortList/PortItem/localPort", Entity::outbound, Field::source_port},
    {"ProcessItem/PortList/PortItem/localPort", Entity::inbound, Field::destination_port},
    {"ProcessItem/PortList/PortItem/remoteIP", Entity::outbound, Field::destination_ip},
    {"ProcessItem/PortList/PortItem/remoteIP", Entity::inbound, Field::source_ip},
    {"ProcessItem/PortList/PortItem/remotePort", Entity::outbound, Field::destination_port},
    {"ProcessItem/PortList/PortItem/remotePort", Entity::inbound, Field::source_port},
    {"ProcessItem/PortList/PortItem/protocol", Entity::connection, Field::network_transport},

    {"PortItem/localIP", Entity::outbound, Field::source_ip},
    {"PortItem/localIP", Entity::inbound, Field::destination_ip},
    {"PortItem/localPort", Entity::outbound, Field::source_port},
    {"PortItem/localPort", Entity::inbound, Field::destination_port},
    {"PortItem/remoteIP", Entity::outbound, Field::destination_ip},
    {"PortItem/remoteIP", Entity::inbound, Field::source_ip},
    {"PortItem/remotePort", Entity::outbound, Field::destination_port},
    {"PortItem/remotePort", Entity::inbound, Field::source_port},
    {"PortItem/protocol", Entity::connection, Field::network_transport},
    {"PortItem/pid", Entity::connection, Field::process_pid},
    {"PortItem/process", Entity::connection, Field::process_name},
    {"PortItem/path", Entity::connection, Field::process_executable},

    {"UserItem/Username", Entity::started_process, Field::user_name},
    {"UserItem/userid", Entity::started_process, Field::user_id},

    {"processEvent/pid", Entity::started_process, Field::process_pid},
    {"processEvent/process", Entity::started_process, Field::process_name},
    {"processEvent/processPath", Entity::started_process, Field::process_executable},
    {"processEvent/processCmdLine", Entity::started_process, Field::process_command_line},
    {"processEvent/parentPid", Entity::started_process, Field::process_parent_pid},
    {"processEvent/parentProcess", Entity::started_process, Field::process_parent_name},
    {"processEvent/parentProcessPath", Entity::started_process, Field::process_parent_executable},
    {"processEvent/username", Entity::started_process, Field::user_name},
    {"processEvent/md5", Entity::started_process, Field::process_hash_md5},
    {"processEvent/startTime", Entity::started_process, Field::process_start},

    {"fileWriteEvent/fullPath", Entity::written_file, Field::file_path},
    {"fileWriteEvent/filePath", Entity::written_file, Field::file_directory},
    {"fileWriteEvent/fileName", Entity::written_file, Field::file_name},
    {"fileWriteEvent/fileExtension", Entity::written_file, Field::file_extension},
    {"fileWriteEvent/size", Entity::written_file, Field::file_size},
    {"fileWriteEvent/md5", Entity::written_file, Field::file_hash_md5},
    {"fileWriteEvent/pid", Entity::written_file, Field::process_pid},
    {"fileWriteEvent/process", Entity::written_file, Field::process_name},
    {"fileWriteEvent/processPath", Entity::written_file, Field::process_executable},
    {"fileWriteEvent/parentPid", Entity::written_file, Field::process_parent_pid},
    {"fileWriteEvent/parentProcessPath", Entity::written_file, Field::process_parent_executable},
    {"fileWriteEvent/username", Entity::written_file, Field::user_name},

    {"ipv4NetworkEvent/localIP", Entity::outbound, Field::source_ip},
    {"ipv4NetworkEvent/localIP", Entity::inbound, Field::destination_ip},
    {"ipv4NetworkEvent/localPort", Entity::outbound, Field::source_port},
    {"ipv4NetworkEvent/localPort", Entity::inbound, Field::destination_port},
    {"ipv4NetworkEvent/remoteIP", Entity::outbound, Field::destination_ip},
    {"ipv4NetworkEvent/remoteIP", Entity::inbound, Field::source_ip},
    {"ipv4NetworkEvent/remotePort", Entity::outbound, Field::destination_port},
    {"ipv4NetworkEvent/remotePort", Entity::inbound, Field::source_port},
    {"ipv4NetworkEvent/protocol", Entity::connection, Field::network_transport},
    {"ipv4NetworkEvent/pid", Entity::connection, Field::process_pid},
    {"ipv4NetworkEvent/process", Entity::connection, Field::process_name},
    {"ipv4NetworkEvent/processPath", Entity::connection, Field::process_executable},
    {"ipv4NetworkEvent/username", Entity::connection, Field::user_name},

    {"Network/DNS", Entity::looked_up_name, Field::dns_question_name},
    {"Network/DNS", Entity::outbound, Field::destination_domain},
    {"DnsEntryItem/Host", Entity::looked_up_name, Field::dns_question_name},
    {"DnsEntryItem/RecordName", Entity::looked_up_name, Field::dns_question_name},
    {"dnsLookupEvent/hostname", Entity::looked_up_name, Field::dns_question_name},
    {"dnsLookupEvent/pid", Entity::looked_up_name, Field::process_pid},
    {"dnsLookupEvent/process", Entity::looked_up_name, Field::process_name},
    {"dnsLookupEvent/processPath", Entity::looked_up_name, Field::process_executable},
    {"dnsLookupEvent/username", Entity::looked_up_name, Field::user_name},
    {"Network/URI", Entity::log_record, Field::attributes},
    {"Network/UserAgent", Entity::log_record, Field::attributes},
    {"UrlHistoryItem/URL", Entity::log_record, Field::attributes},
    {"urlMonitorEvent/requestUrl", Entity::log_record, Field::attributes},
    {"RegistryItem/Path", Entity::registry_value, Field::registry_path},
    {"RegistryItem/KeyPath", Entity::registry_value, Field::registry_path},
    {"RegistryItem/Text", Entity::registry_value, Field::registry_data},
    {"RegistryItem/Value", Entity::registry_value, Field::registry_data},
    {"regKeyEvent/path", Entity::registry_value, Field::registry_path},
    {"regKeyEvent/text", Entity::registry_value, Field::registry_data},
    {"ModuleItem/ModulePath", Entity::loaded_file, Field::file_path},
    {"ModuleItem/ModuleName", Entity::loaded_file, Field::file_name},
    {"imageLoadEvent/fullPath", Entity::loaded_file, Field::file_path},
    {"imageLoadEvent/fileName", Entity::loaded_file, Field::file_name},
});

struct Absence {
  std::string_view start;  // of the term
  std::string_view why;
};

constexpr auto kAbsences = std::to_array<Absence>({
    {"FileItem/PEInfo", "no event says what stands inside a file"},
    {"FileItem/StringList", "no event says what stands inside a file"},
    {"RegistryItem", "records of the registry do not say it"},
    {"PrefetchItem", "there are no prefetch files on Linux"},
    {"DnsEntryItem", "name look-ups do not say it"},
    {"dnsLookupEvent", "name look-ups do not say it"},
    {"Network", "the content of connections is not captured"},
    {"UrlHistoryItem", "the content of connections is not captured"},
    {"urlMonitorEvent", "the content of connections is not captured"},
    {"Email", "mail is not captured"},
    {"ProcessItem/HandleList", "open handles are not captured"},
    {"ProcessItem/SectionList", "the memory map of processes is not captured"},
});

bool starts_as(std::string_view term, std::string_view start) {
  return term.size() >= start.size() && std::equal(start.begin(), start.end(), term.begin(), [](char a, char b) {
           return base::lower_ascii(a) == base::lower_ascii(b);
         });
}

}  // namespace

std::vector<Property> properties_of(std::string_view term) {
  std::vector<Property> properties;
  for (const TermRow& row : kTerms) {
    if (row.term.size() == term.size() && starts_as(term, row.term))
      properties.push_back({.entity = row.entity, .field = row.field});
  }
  return properties;
}

std::string why_unsupported(std::string_view term) {
  const auto* const found = std::find_if(kAbsences.begin(), kAbsences.end(),
                                         [term](const Absence& row) { return starts_as(term, row.start); });
  return found == kAbsences.end() ? "no event here has it" : std::string(found->why);
}

}  // namespace redoubt::rules::openioc
