#include "bench/windows_events.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string_view>

#include "event/batch_builder.h"
#include "event/dialect/dialect.h"

namespace redoubt::bench {

namespace {

using event::EventType;
using event::Field;

constexpr size_t kBatchEvents = 1000;

constexpr auto kImages = std::to_array<std::string_view>({
    "C:\\Windows\\System32\\svchost.exe",
    "C:\\Windows\\system32\\lsass.exe",
    "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
    "C:\\Windows\\Explorer.EXE",
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
    "C:\\Windows\\System32\\cmd.exe",
    "C:\\Windows\\System32\\services.exe",
    "C:\\Windows\\System32\\csrss.exe",
    "C:\\Windows\\System32\\RuntimeBroker.exe",
    "C:\\Windows\\System32\\SearchIndexer.exe",
    "C:\\Windows\\System32\\taskhostw.exe",
    "C:\\ProgramData\\Microsoft\\Windows Defender\\platform\\4.18.2008.9-0\\MsMpEng.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
    "C:\\WindowsAzure\\GuestAgent_2.7.41491.993\\CollectGuestLogs.exe",
    "C:\\Users\\analyst\\AppData\\Local\\Programs\\tool-#\\tool.exe",
});
constexpr auto kLibraries = std::to_array<std::string_view>(
    {"C:\\Windows\\System32\\ntdll.dll", "C:\\Windows\\System32\\kernel32.dll", "C:\\Windows\\System32\\bcrypt.dll",
     "C:\\Windows\\System32\\combase.dll", "C:\\Windows\\System32\\clr.dll", "C:\\Windows\\assembly\\lib-#.dll",
     "C:\\Program Files\\Vendor\\plug-in-#.dll"});
constexpr auto kTraces = std::to_array<std::string_view>({
    "C:\\Windows\\SYSTEM32\\ntdll.dll+9c524|C:\\Windows\\System32\\KERNELBASE.dll+2730e|"
    "c:\\windows\\system32\\lsm.dll+10e93|c:\\windows\\system32\\lsm.dll+f9ea|C:\\Windows\\System32\\RPCRT4.dll+76953|"
    "C:\\Windows\\System32\\RPCRT4.dll+da036|C:\\Windows\\System32\\RPCRT4.dll+37a5c|"
    "C:\\Windows\\System32\\RPCRT4.dll+548e8|C:\\Windows\\System32\\RPCRT4.dll+2c931|C:\\Windows\\SYSTEM32\\ntdll.dll+"
    "#",
    "C:\\Windows\\SYSTEM32\\ntdll.dll+9d1e4|C:\\Windows\\System32\\KERNELBASE.dll+2c13e|"
    "C:\\Windows\\system32\\psmserviceexthost.dll+222a3|C:\\Windows\\system32\\psmserviceexthost.dll+1a172|"
    "C:\\Windows\\SYSTEM32\\ntdll.dll+32f3e|C:\\Windows\\System32\\KERNEL32.DLL+17bd4|C:\\Windows\\SYSTEM32\\ntdll.dll+"
    "#",
});
constexpr auto kAccess = std::to_array<std::string_view>({"0x1000", "0x1400", "0x1410", "0x2000", "0x1478", "0x3000"});
constexpr auto kKeys = std::to_array<std::string_view>({
    "HKLM\\System\\CurrentControlSet\\Services\\bam\\State\\UserSettings\\S-1-5-21-3940915590-64593676-1000\\item-#",
    "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\Tasks\\{#}\\DynamicInfo",
    "HKU\\S-1-5-21-3940915590-64593676-500\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Explorer\\SessionInfo\\1\\#",
    "HKLM\\System\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces\\{#}\\LeaseObtainedTime",
});
constexpr auto kData = std::to_array<std::string_view>({"DWORD (0x00000001)", "Binary Data", "(Empty)", "QWORD (#)"});
constexpr auto kCommands = std::to_array<std::string_view>({
    "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule",
    "\"C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe\" --type=renderer --lang=en-US "
    "--renderer-client-id=# --mojo-platform-channel-handle=#",
    "taskhostw.exe -RegisterDevice -ProtectionStateChanged -FreeNetworkOnly",
    "C:\\Windows\\system32\\cmd.exe /c \"C:\\WindowsAzure\\GuestAgent\\collect.cmd # > C:\\Windows\\Temp\\out-#.log\"",
    "powershell.exe -NoLogo -NonInteractive -File C:\\Scripts\\inventory-#.ps1 -Full",
});
constexpr auto kPaths = std::to_array<std::string_view>(
    {"C:\\Users\\analyst\\AppData\\Local\\Temp\\~DF#.TMP", "C:\\Windows\\Prefetch\\TOOL-#.pf",
     "C:\\ProgramData\\Microsoft\\Windows\\WER\\Temp\\WER#.tmp.xml", "C:\\Windows\\System32\\sru\\SRU#.log"});
constexpr auto kNames = std::to_array<std::string_view>(
    {"settings-win.data.microsoft.com", "host-#.corp.example", "ctldl.windowsupdate.com"});
constexpr auto kAddresses = std::to_array<std::string_view>({"10.0.1.#b", "192.168.2.#b", "52.168.117.#b"});
constexpr auto kUsers = std::to_array<std::string_view>({"NT AUTHORITY\\SYSTEM", "CORP\\analyst", "CORP\\svc-#b"});
constexpr auto kObjects = std::to_array<std::string_view>({"\\Device\\HarddiskVolume2\\Windows\\System32\\lsass.exe",
                                                           "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\#",
                                                           "C:\\Windows\\System32\\config\\item-#", "-"});
constexpr auto kScriptLines = std::to_array<std::string_view>(
    {"function Get-InventoryItem# { param([string]$Path, [int]$Depth = 3)\n",
     "  Get-ChildItem -Path $Path -Recurse -Depth $Depth | Where-Object { $_.Length -gt 1024 } | ForEach-Object {\n",
     "    [PSCustomObject]@{ Name = $_.Name; Size = $_.Length; Changed = $_.LastWriteTimeUtc.ToString('o') }\n  }\n",
     "  $result = Invoke-RestMethod -Uri \"https://inventory.corp.example/api/v1/items/#\" -Method Post -Body $body\n",
     "  Write-Verbose (\"Stored {0} items in {1} ms\" -f $result.Count, $watch.ElapsedMilliseconds)\n}\n"});

using Pool = std::span<const std::string_view>;

// Where a value goes: a field, or an attribute where it has a name.
struct ValueRow {
  Field field;
  std::string_view attribute;
  Pool pool;
  int repeat = 1;  // how many are put together: long texts
};

constexpr std::string_view kSysmon = "Microsoft-Windows-Sysmon/Operational";
constexpr std::string_view kPowerShell = "Microsoft-Windows-PowerShell/Operational";

struct KindRow {
  int percent;
  EventType type;
  int64_t code;
  std::string_view channel;
  std::string_view action;
  std::vector<ValueRow> values;
};

const std::vector<KindRow>& kinds() {
  constexpr Field kOther = Field::attributes;
  static const std::vector<KindRow> kKinds{
      {53,
       EventType::processaccess,
       10,
       kSysmon,
       "open",
       {{Field::process_executable, "", kImages},
        {Field::target_process_executable, "", kImages},
        {kOther, "GrantedAccess", kAccess},
        {kOther, "CallTrace", kTraces},
        {kOther, "SourceUser", kUsers}}},
      {11,
       EventType::registry,
       13,
       kSysmon,
       "set",
       {{Field::process_executable, "", kImages},
        {Field::registry_path, "", kKeys},
        {Field::registry_data, "", kData}}},
      {9,
       EventType::module,
       7,
       kSysmon,
       "load",
       {{Field::process_executable, "", kImages}, {Field::file_path, "", kLibraries}, {kOther, "Signature", kUsers}}},
      {2, EventType::script, 4104, kPowerShell, "run", {{Field::script_content, "", kScriptLines, 30}}},
      {3,
       EventType::systemlog,
       4103,
       kPowerShell,
       "",
       {{kOther, "Payload", kScriptLines, 12}, {kOther, "ContextInfo", kCommands, 6}}},
      {11,
       EventType::systemlog,
       4663,
       "Security",
       "",
       {{kOther, "ObjectName", kObjects}, {kOther, "ProcessName", kImages}, {kOther, "SubjectUserName", kUsers}}},
      {3,
       EventType::process,
       1,
       kSysmon,
       "exec",
       {{Field::process_executable, "", kImages},
        {Field::process_command_line, "", kCommands},
        {Field::process_parent_executable, "", kImages},
        {Field::process_parent_command_line, "", kCommands},
        {Field::user_name, "", kUsers},
        {Field::process_original_file_name, "", kNames}}},
      {4,
       EventType::filechange,
       11,
       kSysmon,
       "create",
       {{Field::process_executable, "", kImages}, {Field::file_path, "", kPaths}}},
      {3,
       EventType::connection,
       3,
       kSysmon,
       "connect",
       {{Field::process_executable, "", kImages},
        {Field::destination_ip, "", kAddresses},
        {Field::destination_domain, "", kNames}}},
      {1,
       EventType::dns,
       22,
       kSysmon,
       "query",
       {{Field::process_executable, "", kImages}, {Field::dns_question_name, "", kNames}}},
  };
  return kKinds;
}

class WindowsGenerator {
 public:
  explicit WindowsGenerator(uint64_t seed) : random_(seed) {}

  void add(size_t sequence, event::BatchBuilder& batch) {
    const KindRow& kind = random_kind();
    batch.set(Field::event_sequence, static_cast<int64_t>(sequence + 1));
    batch.set(Field::event_time, static_cast<int64_t>(1'780'000'000'000'000 + 2000 * sequence));
    batch.set(Field::host_os_family, "windows");
    batch.set(Field::log_product, "windows");
    batch.set(Field::log_channel, kind.channel);
    batch.set(Field::event_code, kind.code);
    batch.set(Field::host_name, "WORKSTATION" + std::to_string(random_() % 50));
    if (!kind.action.empty()) batch.set(Field::event_action, kind.action);
    for (const ValueRow& row : kind.values) {
      std::string text;
      for (int i = 0; i < row.repeat; ++i) append(row.pool[skewed(row.pool.size())], text);
      if (row.attribute.empty()) {
        batch.set(row.field, text);
      } else {
        batch.add_attribute(row.attribute, text);
      }
    }
    batch.add_attribute("ThreadID", std::to_string(random_() % 20'000));
    batch.add_attribute("Keywords", "-9223372036854775808");
    batch.finish_event(kind.type);
  }

 private:
  const KindRow& random_kind() {
    auto left = static_cast<int>(random_() % 100);
    for (const KindRow& kind : kinds()) {
      left -= kind.percent;
      if (left < 0) return kind;
    }
    return kinds().back();
  }

  // The first of a pool are the most frequent.
  size_t skewed(size_t count) { return std::min(random_() % count, random_() % count); }

  // `#`: a number that is mostly new; `#b`: a byte.
  void append(std::string_view pattern, std::string& text) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] != '#') {
        text += pattern[i];
      } else if (i + 1 < pattern.size() && pattern[i + 1] == 'b') {
        text += std::to_string(random_() % 256);
        ++i;
      } else {
        text += std::to_string(random_() % 1'000'000);
      }
    }
  }

  std::mt19937_64 random_;
};

struct PipeCloser {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

// What the files of an archive hold, one after the other.
Result<std::string> unpacked(const std::filesystem::path& archive) {
  const std::unique_ptr<FILE, PipeCloser> pipe(popen(("unzip -p '" + archive.string() + "'").c_str(), "r"));
  if (pipe == nullptr) return fail(Errc::io, "unzip " + archive.string() + ": cannot be run");
  std::string text;
  std::array<char, 1 << 16> block{};
  for (size_t size = block.size(); size == block.size();) {
    size = fread(block.data(), 1, block.size(), pipe.get());
    text.append(block.data(), size);
  }
  return text;
}

}  // namespace

Result<std::string> recorded_lines(const std::string& directory) {
  std::string lines;
  if (!std::filesystem::is_directory(directory)) return lines;
  std::vector<std::filesystem::path> archives;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".zip") archives.push_back(entry.path());
  }
  std::sort(archives.begin(), archives.end());
  for (const auto& archive : archives) {
    TRY(const std::string text, unpacked(archive));
    lines += text;
    if (!lines.ends_with('\n')) lines += '\n';
  }
  return lines;
}

namespace {

// Calls `take` with a builder that is full, or holds the rest.
template <class Take>
void read_in_batches(std::string_view lines, size_t batch_events, Take take) {
  event::BatchBuilder builder;
  event::dialect::Reader reader;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    // What is no record, such as the other files of an archive, is left out.
    static_cast<void>(reader.add(lines.substr(0, end), builder));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (builder.size() == batch_events || (lines.empty() && builder.size() > 0)) take(builder);
  }
}

}  // namespace

std::vector<event::Batch> read_lines(std::string_view lines) {
  std::vector<event::Batch> batches;
  read_in_batches(lines, kBatchEvents, [&](event::BatchBuilder& builder) { batches.push_back(builder.take()); });
  return batches;
}

void for_each_batch(std::string_view lines, const std::function<void(const event::Batch&)>& each) {
  constexpr size_t kFrameEvents = 200;  // as frames of agents are
  read_in_batches(lines, kFrameEvents, [&](event::BatchBuilder& builder) { each(builder.take()); });
}

std::vector<event::Batch> generated_windows_events(const WindowsOptions& options) {
  WindowsGenerator generator(options.seed);
  event::BatchBuilder builder;
  std::vector<event::Batch> batches;
  for (size_t i = 0; i < options.events; ++i) {
    generator.add(i, builder);
    if (builder.size() == kBatchEvents || i + 1 == options.events) batches.push_back(builder.take());
  }
  return batches;
}

}  // namespace redoubt::bench
