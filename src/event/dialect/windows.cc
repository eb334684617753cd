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

// Members that stand for the same in the different shapes; of several that are there, the first of the table counts.
struct HeadRow {
  std::string_view name;
  std::string_view WindowsHeads::* head;
};
constexpr auto kHeads = std::to_array<HeadRow>({
    {"Channel", &WindowsHeads::channel},
    {"Event.System.Channel", &WindowsHeads::channel},
    {"winlog.channel", &WindowsHeads::channel},
    {"EventID", &WindowsHeads::code},
    {"Event.System.EventID", &WindowsHeads::code},
    {"Event.System.EventID.#text", &WindowsHeads::code},
    {"winlog.event_id", &WindowsHeads::code},
    {"EventId", &WindowsHeads::code},
    {"Provider_Name", &WindowsHeads::provider},
    {"Event.System.Provider.#attributes.Name", &WindowsHeads::provider},
    {"ProviderName", &WindowsHeads::provider},
    {"winlog.provider_name", &WindowsHeads::provider},
    {"SourceName", &WindowsHeads::provider},
    {"Hostname", &WindowsHeads::host},
    {"Computer", &WindowsHeads::host},
    {"Event.System.Computer", &WindowsHeads::host},
    {"winlog.computer_name", &WindowsHeads::host},
    {"ComputerName", &WindowsHeads::host},
    {"UtcTime", &WindowsHeads::time},
    {"Event.EventData.UtcTime", &WindowsHeads::time},
    {"winlog.event_data.UtcTime", &WindowsHeads::time},
    {"TimeCreated", &WindowsHeads::time},
    {"Event.System.TimeCreated.#attributes.SystemTime", &WindowsHeads::time},
    {"@timestamp", &WindowsHeads::time},
    {"EventTime", &WindowsHeads::time},
    {"EventType", &WindowsHeads::type},
    {"Event.EventData.EventType", &WindowsHeads::type},
    {"winlog.event_data.EventType", &WindowsHeads::type},
});

// What stands before the names of a record's own members in the nested shapes.
constexpr auto kPrefixes = std::to_array<std::string_view>(
    {"Event.EventData.", "Event.System.", "Event.UserData.", "winlog.event_data.", "winlog."});

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

WindowsReader::Meaning WindowsReader::meaning_of(std::string_view name) {
  Meaning meaning{.looked_up = true, .own_name = own_name(name)};
  const auto* const row =
      std::find_if(kHeads.begin(), kHeads.end(), [&](const HeadRow& each) { return each.name == name; });
  if (row == kHeads.end()) return meaning;
  meaning.head = row->head;
  meaning.rank = static_cast<uint8_t>(row - kHeads.begin());
  return meaning;
}

const WindowsReader::Meaning& WindowsReader::meaning_of(const Member& member) {
  if (member.name_number == kNoNameNumber) return passing_ = meaning_of(member.name);
  if (member.name_number >= meanings_.size()) meanings_.resize(member.name_number + size_t{1});
  Meaning& meaning = meanings_[member.name_number];
  if (!meaning.looked_up) meaning = meaning_of(member.name);
  return meaning;
}

std::optional<WindowsHeads> WindowsReader::heads_of(const Record& record) {
  WindowsHeads heads;
  std::array<uint8_t, kHeads.size()> ranks{};  // by the first row of a head, of what was found last, counted from one
  for (const Member& member : record.members()) {
    const Meaning& meaning = meaning_of(member);
    if (meaning.head == nullptr) continue;
    const auto* const first =
        std::find_if(kHeads.begin(), kHeads.end(), [&](const HeadRow& each) { return each.head == meaning.head; });
    uint8_t& rank = ranks[static_cast<size_t>(first - kHeads.begin())];
    if (rank != 0 && rank <= meaning.rank + 1) continue;
    rank = static_cast<uint8_t>(meaning.rank + 1);
    heads.*meaning.head = member.text;
  }
  const bool is_ours =
      heads.code.data() != nullptr && (heads.channel.data() != nullptr || heads.provider.data() != nullptr);
  return is_ours ? std::optional(heads) : std::nullopt;
}

void WindowsReader::add(const Record& record, const WindowsHeads& heads, BatchBuilder& batch) {
  std::string_view channel = heads.channel;
  for (const ProviderRow& row : kProviders) {
    if (channel.empty() && row.provider == heads.provider) channel = row.channel;
  }
  int64_t code = 0;
  const bool numbered =
      std::from_chars(heads.code.data(), heads.code.data() + heads.code.size(), code).ec == std::errc{};
  const WindowsKind* kind = numbered ? kind_of(channel, code) : nullptr;
  const EventType type = kind != nullptr ? kind->type : EventType::systemlog;

  batch.set(Field::host_os_family, "windows");
  batch.set(Field::log_product, "windows");
  if (!channel.empty()) batch.set(Field::log_channel, channel);
  if (!heads.provider.empty()) batch.set(Field::event_provider, heads.provider);
  if (numbered) batch.set(Field::event_code, code);
  if (const auto time = time_of(heads.time)) batch.set(Field::event_time, *time);
  if (!heads.host.empty()) batch.set(Field::host_name, heads.host);
  if (kind != nullptr)
    batch.set(Field::event_action, kind->action.empty() ? registry_action(heads.type) : kind->action);
  for (const Member& member : record.members()) {
    const std::string_view name = meaning_of(member).own_name;
    if (name == "Channel" || (name == "EventID" && numbered)) continue;
    if (name == "Initiated") {
      batch.set(Field::network_direction, member.text == "true" ? "outbound" : "inbound");
      continue;
    }
    if (name == "Hashes") add_hashes(member.text, type, batch);
    map_.add(name, member, type, batch);
    if (kind != nullptr && kind->channel == kSecurity) set_audited(name, member.text, batch);
  }
  set_derived(batch);
  batch.finish_event(type);
}

}  // namespace redoubt::event::dialect
