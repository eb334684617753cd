#include "event/dialect/windows.h"

#include <algorithm>
#include <charconv>

namespace redoubt::event::dialect {

namespace {

constexpr std::string_view kSysmon = "Microsoft-Windows-Sysmon/Operational";
constexpr std::string_view kPowerShell = "Microsoft-Windows-PowerShell/Operational";
constexpr std::string_view kPowerShellCore = "PowerShellCore/Operational";
constexpr std::string_view kSecurity = "Security";

// Which records are events of a kind of their own; all others are records of a log.
struct WindowsKind {
  std::string_view channel;
  int64_t code;
  EventType type;
  std::string_view action;
};

constexpr auto kWindowsKinds = std::to_array<WindowsKind>({
    {kSysmon, 1, EventType::process, "exec"},
    {kSysmon, 2, EventType::filechange, "timestamp"},
    {kSysmon, 3, EventType::connection, "connect"},
    {kSysmon, 5, EventType::process_terminate, "exit"},
    {kSysmon, 6, EventType::driver, "load"},
    {kSysmon, 7, EventType::module, "load"},
    {kSysmon, 8, EventType::remotethread, "create"},
    {kSysmon, 10, EventType::processaccess, "open"},
    {kSysmon, 11, EventType::filechange, "create"},
    {kSysmon, 12, EventType::registry, ""},  // its EventType says which
    {kSysmon, 13, EventType::registry, "set"},
    {kSysmon, 14, EventType::registry, "rename"},
    {kSysmon, 15, EventType::filechange, "stream"},
    {kSysmon, 17, EventType::pipe, "create"},
    {kSysmon, 18, EventType::pipe, "connect"},
    {kSysmon, 22, EventType::dns, "query"},
    {kSysmon, 23, EventType::filechange, "delete"},
    {kSysmon, 26, EventType::filechange, "delete"},
    {kSysmon, 27, EventType::filechange, "block"},
    {kSysmon, 29, EventType::filechange, "executable"},
    {kSecurity, 4688, EventType::process, "exec"},
    {kPowerShell, 4104, EventType::script, "run"},
    {kPowerShellCore, 4104, EventType::script, "run"},
});

// Where a provider has one log, for records that do not name it.
struct ProviderRow {
  std::string_view provider;
  std::string_view channel;
};
constexpr auto kProviders = std::to_array<ProviderRow>({
    {"Microsoft-Windows-Sysmon", kSysmon},
    {"Microsoft-Windows-Security-Auditing", kSecurity},
    {"Microsoft-Windows-PowerShell", kPowerShell},
});

// Members that stand for the same in the different shapes.
constexpr auto kChannelNames = std::to_array<std::string_view>({"Channel", "Event.System.Channel", "winlog.channel"});
constexpr auto kCodeNames = std::to_array<std::string_view>(
    {"EventID", "Event.System.EventID", "Event.System.EventID.#text", "winlog.event_id", "EventId"});
constexpr auto kProviderNames = std::to_array<std::string_view>(
    {"Provider_Name", "Event.System.Provider.#attributes.Name", "ProviderName", "winlog.provider_name", "SourceName"});
constexpr auto kHostNames = std::to_array<std::string_view>(
    {"Hostname", "Computer", "Event.System.Computer", "winlog.computer_name", "ComputerName"});
constexpr auto kTimeNames =
    std::to_array<std::string_view>({"UtcTime", "Event.EventData.UtcTime", "winlog.event_data.UtcTime", "TimeCreated",
                                     "Event.System.TimeCreated.#attributes.SystemTime", "@timestamp", "EventTime"});

// What stands before the names of a record's own members in the nested shapes.
constexpr auto kPrefixes = std::to_array<std::string_view>(
    {"Event.EventData.", "Event.System.", "Event.UserData.", "winlog.event_data.", "winlog."});

template <size_t N>
std::string_view first_of(const Record& record, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names) {
    if (const std::string_view text = record.find(name); text.data() != nullptr) return text;
  }
  return {};
}

// "Event.System.Execution.#attributes.ProcessID" → "ProcessID".
std::string_view own_name(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return name;
  for (const std::string_view prefix : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    constexpr std::string_view kText = ".#text";
    if (name.ends_with(kText)) name.remove_suffix(kText.size());
    constexpr std::string_view kXmlAttributes = "#attributes.";
    if (const size_t at = name.find(kXmlAttributes); at != std::string_view::npos) {
      name.remove_prefix(at + kXmlAttributes.size());
    }
    if (prefix == "Event.UserData.") name.remove_prefix(name.rfind('.') + 1);
    break;
  }
  return name;
}

const WindowsKind* kind_of(std::string_view channel, int64_t code) {
  const auto* row = std::find_if(kWindowsKinds.begin(), kWindowsKinds.end(), [&](const WindowsKind& each) {
    return each.code == code && each.channel.size() == channel.size() &&
           std::equal(channel.begin(), channel.end(), each.channel.begin(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  });
  return row == kWindowsKinds.end() ? nullptr : row;
}

struct HashRow {
  std::string_view prefix;
  Field of_process;
  Field of_file;
};
constexpr auto kHashes = std::to_array<HashRow>({
    {"SHA256=", Field::process_hash_sha256, Field::file_hash_sha256},
    {"SHA1=", Field::process_hash_sha1, Field::file_hash_sha1},
    {"MD5=", Field::process_hash_md5, Field::file_hash_md5},
    {"IMPHASH=", Field::process_hash_imphash, Field::file_hash_imphash},
});

bool is_about_a_file(EventType type) {
  return type == EventType::filechange || type == EventType::module || type == EventType::driver;
}

// "SHA1=…,MD5=…"
void add_hashes(std::string_view list, EventType type, BatchBuilder& batch) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    const std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    for (const HashRow& row : kHashes) {
      if (item.starts_with(row.prefix)) {
        set_value(is_about_a_file(type) ? row.of_file : row.of_process, item.substr(row.prefix.size()), batch);
      }
    }
  }
}

// Of a record that is an action on the registry without a number of its own.
std::string_view registry_action(std::string_view type) {
  if (type.starts_with("Delete")) return "delete";
  if (type.starts_with("Create")) return "create";
  return "change";
}

void set_action(const WindowsKind& kind, const Record& record, BatchBuilder& batch) {
  if (!kind.action.empty()) return batch.set(Field::event_action, kind.action);
  constexpr auto kNames =
      std::to_array<std::string_view>({"EventType", "Event.EventData.EventType", "winlog.event_data.EventType"});
  batch.set(Field::event_action, registry_action(first_of(record, kNames)));
}

// What a process start of the security log says in other words than Sysmon's.
struct AuditedRow {
  std::string_view name;
  Field field;
};
constexpr auto kAudited = std::to_array<AuditedRow>({{"NewProcessName", Field::process_executable},
                                                     {"ParentProcessName", Field::process_parent_executable},
                                                     {"SubjectUserName", Field::user_name}});

void set_audited(std::string_view name, std::string_view text, BatchBuilder& batch) {
  for (const AuditedRow& row : kAudited) {
    if (row.name == name && !batch.has(row.field)) batch.set(row.field, text);
  }
}

}  // namespace

bool WindowsReader::knows(const Record& record) {
  return first_of(record, kCodeNames).data() != nullptr &&
         (first_of(record, kChannelNames).data() != nullptr || first_of(record, kProviderNames).data() != nullptr);
}

void WindowsReader::add(const Record& record, BatchBuilder& batch) {
  const std::string_view provider = first_of(record, kProviderNames);
  std::string_view channel = first_of(record, kChannelNames);
  for (const ProviderRow& row : kProviders) {
    if (channel.empty() && row.provider == provider) channel = row.channel;
  }
  int64_t code = 0;
  const std::string_view digits = first_of(record, kCodeNames);
  const bool numbered = std::from_chars(digits.data(), digits.data() + digits.size(), code).ec == std::errc{};
  const WindowsKind* kind = numbered ? kind_of(channel, code) : nullptr;
  const EventType type = kind != nullptr ? kind->type : EventType::systemlog;

  batch.set(Field::host_os_family, "windows");
  batch.set(Field::log_product, "windows");
  if (!channel.empty()) batch.set(Field::log_channel, channel);
  if (!provider.empty()) batch.set(Field::event_provider, provider);
  if (numbered) batch.set(Field::event_code, code);
  if (const auto time = time_of(first_of(record, kTimeNames))) batch.set(Field::event_time, *time);
  if (const std::string_view host = first_of(record, kHostNames); !host.empty()) batch.set(Field::host_name, host);
  if (kind != nullptr) set_action(*kind, record, batch);
  for (const Member& member : record.members()) {
    const std::string_view name = own_name(member.name);
    if (name == "Channel" || (name == "EventID" && numbered)) continue;
    if (name == "Initiated") {
      batch.set(Field::network_direction, member.text == "true" ? "outbound" : "inbound");
      continue;
    }
    if (name == "Hashes") add_hashes(member.text, type, batch);
    map_.add(name, member.text, type, batch);
    if (kind != nullptr && kind->channel == kSecurity) set_audited(name, member.text, batch);
  }
  set_derived(batch);
  batch.finish_event(type);
}

}  // namespace redoubt::event::dialect
