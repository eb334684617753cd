#include "rules/sigma/log_source.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/text.h"
#include "rules/sigma/metadata.h"

namespace redoubt::rules::sigma {

namespace {

using event::EventType;
using event::EventTypeSet;
using event::Field;
using event::set_of;
using query::Expression;
using query::Operand;
using query::Operator;

// Which systems an event category is known on.
enum System : uint8_t { kLinux = 1, kWindows = 2, kMacos = 4, kAnySystem = 8 };

struct SystemRow {
  std::string_view product;
  System system;
};
constexpr auto kSystems =
    std::to_array<SystemRow>({{"linux", kLinux}, {"windows", kWindows}, {"macos", kMacos}, {"", kAnySystem}});

constexpr uint8_t kEverywhere = kLinux | kWindows | kMacos | kAnySystem;
constexpr size_t kActionsMax = 3;

// One kind of events under its Sigma name.
struct CategoryRow {
  std::string_view category;
  uint8_t systems;
  EventType type;
  std::array<std::string_view, kActionsMax> actions;  // of event.action; all empty: whatever it is
};

constexpr auto kCategories = std::to_array<CategoryRow>({
    {"process_creation", kEverywhere, EventType::process, {}},
    {"process_termination", kEverywhere, EventType::process_terminate, {}},
    {"file_event", kLinux | kMacos | kAnySystem, EventType::filechange, {"create", "write", "rename"}},
    {"file_event", kWindows, EventType::filechange, {"create"}},
    {"file_rename", kEverywhere, EventType::filechange, {"rename"}},
    {"file_delete", kEverywhere, EventType::filechange, {"delete"}},
    {"file_change", kWindows, EventType::filechange, {"timestamp"}},
    {"file_access", kWindows, EventType::filechange, {"access"}},
    {"create_stream_hash", kWindows, EventType::filechange, {"stream"}},
    {"file_executable_detected", kWindows, EventType::filechange, {"executable"}},
    {"file_block_executable", kWindows, EventType::filechange, {"block"}},
    {"network_connection", kEverywhere, EventType::connection, {}},
    {"dns_query", kEverywhere, EventType::dns, {}},
    {"dns", kAnySystem, EventType::dns, {}},
    {"image_load", kWindows, EventType::module, {}},
    {"driver_load", kWindows, EventType::driver, {}},
    {"process_access", kWindows, EventType::processaccess, {}},
    {"create_remote_thread", kWindows, EventType::remotethread, {}},
    {"pipe_created", kWindows, EventType::pipe, {}},
    {"ps_script", kWindows, EventType::script, {}},
    {"registry_event", kWindows, EventType::registry, {}},
    {"registry_add", kWindows, EventType::registry, {"create"}},
    {"registry_set", kWindows, EventType::registry, {"set"}},
    {"registry_delete", kWindows, EventType::registry, {"delete"}},
    {"registry_rename", kWindows, EventType::registry, {"rename"}},
});

constexpr std::string_view kSysmon = "Microsoft-Windows-Sysmon/Operational";
constexpr std::string_view kPowerShell = "Microsoft-Windows-PowerShell/Operational";
constexpr std::string_view kPowerShellCore = "PowerShellCore/Operational";
constexpr std::string_view kPowerShellClassic = "Windows PowerShell";
constexpr size_t kChannelsMax = 4;
constexpr size_t kCodesMax = 4;

// A category that is records of a Windows event log.
struct RecordRow {
  std::string_view category;
  std::array<std::string_view, kChannelsMax> channels;
  std::array<int64_t, kCodesMax> codes;  // 0: none
};

constexpr auto kRecords = std::to_array<RecordRow>({
    {"ps_module", {kPowerShell, kPowerShellCore}, {4103}},
    {"ps_classic_start", {kPowerShellClassic}, {400}},
    {"ps_classic_provider_start", {kPowerShellClassic}, {600}},
    {"ps_classic_script", {kPowerShellClassic}, {800}},
    {"raw_access_thread", {kSysmon}, {9}},
    {"sysmon_status", {kSysmon}, {4, 16}},
    {"sysmon_error", {kSysmon}, {255}},
    {"wmi_event", {kSysmon}, {19, 20, 21}},
    {"clipboard_capture", {kSysmon}, {24}},
    {"process_tampering", {kSysmon}, {25}},
});

// A service that is Windows event logs.
struct ServiceRow {
  std::string_view service;
  std::array<std::string_view, kChannelsMax> channels;
};

constexpr auto kServices = std::to_array<ServiceRow>({
    {"security", {"Security"}},
    {"system", {"System"}},
    {"application", {"Application"}},
    {"sysmon", {kSysmon}},
    {"powershell", {kPowerShell, kPowerShellCore}},
    {"powershell-classic", {kPowerShellClassic}},
    {"windefend", {"Microsoft-Windows-Windows Defender/Operational"}},
    {"firewall-as", {"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"}},
    {"codeintegrity-operational", {"Microsoft-Windows-CodeIntegrity/Operational"}},
    {"appxdeployment-server", {"Microsoft-Windows-AppXDeploymentServer/Operational"}},
    {"appxpackaging-om", {"Microsoft-Windows-AppxPackaging/Operational"}},
    {"appmodel-runtime", {"Microsoft-Windows-AppModel-Runtime/Admin"}},
    {"applocker",
     {"Microsoft-Windows-AppLocker/EXE and DLL", "Microsoft-Windows-AppLocker/MSI and Script",
      "Microsoft-Windows-AppLocker/Packaged app-Deployment", "Microsoft-Windows-AppLocker/Packaged app-Execution"}},
    {"bits-client", {"Microsoft-Windows-Bits-Client/Operational"}},
    {"capi2", {"Microsoft-Windows-CAPI2/Operational"}},
    {"certificateservicesclient-lifecycle-system",
     {"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"}},
    {"diagnosis-scripted", {"Microsoft-Windows-Diagnosis-Scripted/Operational"}},
    {"dns-client", {"Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"}},
    {"dns-server", {"DNS Server"}},
    {"dns-server-analytic", {"Microsoft-Windows-DNS-Server/Analytical"}},
    {"dns-server-audit", {"Microsoft-Windows-DNS-Server/Audit"}},
    {"driver-framework", {"Microsoft-Windows-DriverFrameworks-UserMode/Operational"}},
    {"iis-configuration", {"Microsoft-IIS-Configuration/Operational"}},
    {"ldap", {"Microsoft-Windows-LDAP-Client/Debug"}},
    {"lsa-server", {"Microsoft-Windows-LSA/Operational"}},
    {"microsoft-servicebus-client",
     {"Microsoft-ServiceBus-Client", "Microsoft-ServiceBus-Client/Admin", "Microsoft-ServiceBus-Client/Operational"}},
    {"msexchange-management", {"MSExchange Management"}},
    {"ntlm", {"Microsoft-Windows-NTLM/Operational"}},
    {"openssh", {"OpenSSH/Operational"}},
    {"printservice-admin", {"Microsoft-Windows-PrintService/Admin"}},
    {"printservice-operational", {"Microsoft-Windows-PrintService/Operational"}},
    {"security-mitigations",
     {"Microsoft-Windows-Security-Mitigations/Kernel Mode", "Microsoft-Windows-Security-Mitigations/User Mode"}},
    {"sense", {"Microsoft-Windows-SENSE/Operational"}},
    {"shell-core", {"Microsoft-Windows-Shell-Core/Operational"}},
    {"smbclient-connectivity", {"Microsoft-Windows-SmbClient/Connectivity"}},
    {"smbclient-security", {"Microsoft-Windows-SmbClient/Security"}},
    {"smbserver-connectivity", {"Microsoft-Windows-SMBServer/Connectivity"}},
    {"taskscheduler", {"Microsoft-Windows-TaskScheduler/Operational"}},
    {"terminalservices-localsessionmanager", {"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"}},
    {"vhdmp", {"Microsoft-Windows-VHDMP/Operational"}},
    {"wmi", {"Microsoft-Windows-WMI-Activity/Operational"}},
});

// Products and categories of logs that Sigma's rules name, for which records are sent in under those names. Others may
// be sent in too; these say what a misspelling may have meant.
constexpr auto kProducts = std::to_array<std::string_view>(
    {"apache",       "aws",           "azure",  "bitbucket", "cisco",      "django",     "fortigate", "fortios",
     "gcp",          "github",        "huawei", "juniper",   "jvm",        "kubernetes", "m365",      "modsecurity",
     "nginx",        "nodejs",        "okta",   "onelogin",  "opencanary", "paloalto",   "python",    "qualys",
     "rpc_firewall", "ruby_on_rails", "spring", "sql",       "velocity",   "zeek"});
constexpr auto kLogCategories = std::to_array<std::string_view>(
    {"antivirus", "appliance", "application", "database", "firewall", "proxy", "webserver"});

// Where a rule leaves the category open it is about everything that happens on the host, each thing once: the end of a
// process repeats its command line, and the agent's own events are no activity of the host.
constexpr EventTypeSet kActivity = set_of(EventType::process) | set_of(EventType::filechange) |
                                   set_of(EventType::connection) | set_of(EventType::systemlog);

Expression equals_any(Field field, std::span<const std::string_view> texts) {
  std::vector<Operand> operands;
  for (const std::string_view text : texts) {
    if (!text.empty()) operands.emplace_back(std::string(text));
  }
  return Expression::test(field, Operator::equal, std::move(operands));
}

Expression equals(Field field, std::string_view text) { return equals_any(field, std::span(&text, 1)); }

// Events of our own sensor are of Linux, whether they say so or not.
Expression on_system(System system) {
  switch (system) {
    case kLinux: {
      constexpr auto kOthers = std::to_array<std::string_view>({"windows", "macos"});
      return Expression::negate(equals_any(Field::host_os_family, kOthers));
    }
    case kWindows: return equals(Field::host_os_family, "windows");
    case kMacos: return equals(Field::host_os_family, "macos");
    case kAnySystem: break;
  }
  return Expression::constant(true);
}

const SystemRow* system_of(std::string_view product) {
  const auto* row =
      std::find_if(kSystems.begin(), kSystems.end(), [&](const auto& each) { return each.product == product; });
  return row == kSystems.end() ? nullptr : row;
}

class LogSourceReader {
 public:
  LogSourceReader(const Node& node, Problems& problems)
      : node_(node),
        problems_(problems),
        names_{.category = std::string(node.text_of("category")),
               .product = std::string(node.text_of("product")),
               .service = std::string(node.text_of("service"))} {}

  std::optional<LogSource> read() {
    const SystemRow* system = system_of(names_.product);
    if (system != nullptr && names_.service.empty()) {
      if (names_.category.empty() && system->system != kAnySystem) return of_system(system->system);
      for (const CategoryRow& row : kCategories) {
        if (row.category == names_.category && (row.systems & system->system) != 0) return of_kind(row, system->system);
      }
    }
    if (system != nullptr && system->system == kWindows) {
      if (auto found = of_windows_log()) return found;
    }
    if (misspelled(system)) return std::nullopt;
    return of_named_log(system);
  }

 private:
  static LogSource all(EventTypeSet types, Attributes attributes, std::vector<Expression> parts) {
    return {.fields = {.types = types, .attributes = attributes},
            .condition = Expression::all_of(std::move(parts)),
            .note = ""};
  }

  // What our own sensor makes has no field but those of the table; records of others may have any.
  static Attributes attributes_on(System system) {
    return system == kWindows || system == kMacos ? Attributes::any : Attributes::none;
  }

  static LogSource of_system(System system) {
    const EventTypeSet types = system == kLinux ? kActivity : event::kAllEventTypes;
    std::vector<Expression> parts;
    parts.push_back(Expression::of_types(types));
    parts.push_back(on_system(system));
    return all(types, attributes_on(system), std::move(parts));
  }

  static LogSource of_kind(const CategoryRow& row, System system) {
    std::vector<Expression> parts;
    parts.push_back(Expression::of_types(set_of(row.type)));
    parts.push_back(on_system(system));
    if (!row.actions.front().empty()) parts.push_back(equals_any(Field::event_action, row.actions));
    return all(set_of(row.type), row.type == EventType::dns ? Attributes::any : attributes_on(system),
               std::move(parts));
  }

  std::optional<LogSource> of_windows_log() const {
    for (const RecordRow& row : kRecords) {
      if (row.category != names_.category || !names_.service.empty()) continue;
      std::vector<Operand> codes;
      for (const int64_t code : row.codes) {
        if (code != 0) codes.emplace_back(code);
      }
      std::vector<Expression> parts;
      parts.push_back(Expression::of_types(set_of(EventType::systemlog)));
      parts.push_back(equals_any(Field::log_channel, row.channels));
      parts.push_back(Expression::test(Field::event_code, Operator::equal, std::move(codes)));
      return all(set_of(EventType::systemlog), Attributes::any, std::move(parts));
    }
    for (const ServiceRow& row : kServices) {
      if (row.service != names_.service || !names_.category.empty()) continue;
      std::vector<Expression> parts;
      parts.push_back(equals_any(Field::log_channel, row.channels));
      return all(event::kAllEventTypes, Attributes::any, std::move(parts));
    }
    return std::nullopt;
  }

  // The sensor tells what services of Linux say of logins.
  bool has_own_events(const SystemRow* system) const {
    return system != nullptr && system->system == kLinux && names_.category.empty() && !names_.service.empty();
  }

  // Sigma's service `auth` is the log that all of them write to.
  LogSource with_own_events(std::vector<Expression> of_records) const {
    std::vector<Expression> own;
    own.push_back(Expression::of_types(set_of(EventType::authentication)));
    if (names_.service != "auth") own.push_back(equals(Field::log_service, names_.service));
    std::vector<Expression> both;
    both.push_back(Expression::all_of(std::move(of_records)));
    both.push_back(Expression::all_of(std::move(own)));
    std::vector<Expression> parts;
    parts.push_back(Expression::any_of(std::move(both)));
    return all(set_of(EventType::systemlog) | set_of(EventType::authentication), Attributes::any, std::move(parts));
  }

  // Records that come in under the names that the rule uses.
  std::optional<LogSource> of_named_log(const SystemRow* system) const {
    std::vector<Expression> parts;
    parts.push_back(Expression::of_types(set_of(EventType::systemlog)));
    if (!names_.product.empty()) parts.push_back(equals(Field::log_product, names_.product));
    if (!names_.service.empty()) parts.push_back(equals(Field::log_service, names_.service));
    if (!names_.category.empty()) parts.push_back(equals(Field::log_category, names_.category));
    LogSource source = has_own_events(system) ? with_own_events(std::move(parts))
                                              : all(set_of(EventType::systemlog), Attributes::any, std::move(parts));
    const bool known =
        system != nullptr || std::find(kProducts.begin(), kProducts.end(), names_.product) != kProducts.end();
    if (!known) {
      source.note = "log source product '" + names_.product +
                    "' is none that Sigma's rules name: its events are records that are sent in under that name";
    }
    return source;
  }

  // True, and a problem, for names that come near a known one: they would silently never match.
  bool misspelled(const SystemRow* system) {
    std::vector<std::string_view> products(kProducts.begin(), kProducts.end());
    for (const SystemRow& row : kSystems) {
      if (!row.product.empty()) products.push_back(row.product);
    }
    if (near_one("product", names_.product, products)) return true;
    std::vector<std::string_view> categories(kLogCategories.begin(), kLogCategories.end());
    for (const CategoryRow& row : kCategories) categories.push_back(row.category);
    for (const RecordRow& row : kRecords) categories.push_back(row.category);
    if (near_one("category", names_.category, categories)) return true;
    std::vector<std::string_view> services;
    for (const ServiceRow& row : kServices) services.push_back(row.service);
    const bool windows = system != nullptr && system->system == kWindows;
    if (windows && near_one("service", names_.service, services)) return true;
    if (windows || (system != nullptr && of_other_systems())) {
      refuse("no events here are of it", windows ? "" : "product 'windows' has that category");
      return true;
    }
    return false;
  }

  // A category of host events, but of none on this system.
  bool of_other_systems() const {
    return names_.service.empty() && std::any_of(kCategories.begin(), kCategories.end(),
                                                 [&](const auto& row) { return row.category == names_.category; });
  }

  bool near_one(std::string_view key, const std::string& name, const std::vector<std::string_view>& known) {
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return false;
    const auto nearest = base::nearest_names(name, known, 1);
    if (nearest.empty()) return false;
    refuse(std::string(key) + " '" + name + "' is not known", suggest(nearest, ""));
    return true;
  }

  void refuse(const std::string& why, std::string hint) {
    std::string written;
    for (const std::string_view key : {"category", "product", "service"}) {
      const std::string_view value = node_.text_of(key);
      if (!value.empty()) written += (written.empty() ? "" : ", ") + std::string(key) + " '" + std::string(value) + "'";
    }
    problems_.add(code::kLogSource, node_.place, "log source " + written + ": " + why, std::move(hint));
  }

  const Node& node_;
  Problems& problems_;
  LogSourceNames names_;
};

// True if every key of the log source is one that the tables speak about.
bool check_log_source_keys(const Node& node, Problems& problems) {
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& key = node.items[i];
    if (key.text == "definition") continue;
    if (key.text != "category" && key.text != "product" && key.text != "service") {
      problems.add(code::kLogSource, key.place, "log source attribute '" + key.text + "' is on no event here");
      return false;
    }
    if (node.items[i + 1].kind != NodeKind::scalar) {
      problems.add(code::kShape, key.place, "log source attribute '" + key.text + "' takes one text");
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<LogSource> read_log_source(const Node& node, Problems& problems) {
  if (node.kind != NodeKind::map || node.items.empty()) {
    problems.add(code::kShape, node.place, "logsource is a map with category, product or service");
    return std::nullopt;
  }
  if (!check_log_source_keys(node, problems)) return std::nullopt;
  if (node.text_of("category").empty() && node.text_of("product").empty() && node.text_of("service").empty()) {
    problems.add(code::kShape, node.place, "logsource names no category, product or service");
    return std::nullopt;
  }
  return LogSourceReader(node, problems).read();
}

}  // namespace redoubt::rules::sigma
