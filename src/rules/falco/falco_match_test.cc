// Falco rules over events, through the matcher, and their outputs.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "rules/falco/alert.h"
#include "rules/falco/falco.h"
#include "rules/falco/rule_matching.h"

namespace redoubt::rules::falco {
namespace {

v1::Event program(const std::string& executable, const std::string& command_line) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_process_executable(executable);
  event.set_process_name(executable.substr(executable.rfind('/') + 1));
  event.set_process_command_line(command_line);
  event.set_process_ancestors("/usr/bin/bash\n/usr/sbin/sshd\n/usr/lib/systemd/systemd");
  event.set_user_effective_name("root");
  event.set_user_effective_id(0);
  return event;
}

v1::Event change(const std::string& action, const std::string& path) {
  v1::Event event = program("/usr/bin/vim", "vim x");
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action(action);
  event.set_file_path(path);
  event.set_file_directory(path.substr(0, path.rfind('/')));
  return event;
}

v1::Event connection(const std::string& action, const std::string& address, int64_t port) {
  v1::Event event = program("/usr/bin/nc", "nc x");
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_event_action(action);
  event.set_network_transport("tcp");
  event.set_source_ip("10.0.0.9");
  event.set_destination_ip(address);
  event.set_destination_port(port);
  return event;
}

event::Batch falco_batch(v1::Event event) {
  event::FrameBuilder builder{v1::Event()};
  event.set_event_sequence(1);
  event.set_event_time(1);
  builder.add(event);
  const event::Frame frame = builder.finish("boot");
  auto bytes = event::open_frame(frame.payload, frame.checksum);
  CHECK(bytes.has_value());
  auto batch = event::Batch::decode(*std::move(bytes));
  CHECK(batch.has_value());
  return *std::move(batch);
}

struct RuleText {
  std::string_view condition;
  std::string_view output = "x";
};

Loaded load_rule(const RuleText& text) {
  std::string source = "- rule: r\n  desc: d\n  priority: WARNING\n  output: >\n    " + std::string(text.output) +
                       "\n  condition: >\n    " + std::string(text.condition) + "\n";
  Loader loader;
  loader.add_file(source, "r.yaml");
  return loader.finish();
}

// "yes", "no", or why it cannot be said.
std::string fires(std::string_view condition, v1::Event event) {
  const Loaded loaded = load_rule({condition});
  if (loaded.result.errors() > 0) return loaded.result.findings.front().diagnostic.message;
  if (!loaded.rules.at(0).lowered.expression) return loaded.rules.at(0).lowered.reasons.at(0);
  std::vector<query::Expression> expressions;
  expressions.push_back(loaded.rules.at(0).lowered.expression->clone());
  auto matcher = query::match::Matcher::compile(expressions);
  if (!matcher) return matcher.error().message;
  std::vector<query::match::Hit> hits;
  matcher->match(falco_batch(std::move(event)), hits);
  return hits.empty() ? "no" : "yes";
}

TEST(FalcoMatch, evt_type_chooses_the_kind_of_event) {
  EXPECT_EQ(fires("evt.type in (execve, execveat)", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type in (open, openat, openat2)", program("/usr/bin/id", "id")), "no");
  EXPECT_EQ(fires("evt.type in (open, openat, openat2) and evt.is_open_write=true and fd.typechar='f' and fd.num>=0 "
                  "and fd.name startswith /etc/",
                  change("write", "/etc/passwd")),
            "yes");
  EXPECT_EQ(
      fires("evt.type in (unlink, unlinkat) and evt.arg.name endswith history", change("delete", "/root/.history")),
      "yes");
  EXPECT_EQ(fires("evt.type = mkdir", program("/usr/bin/id", "id")), "event mkdir is not seen here");
}

TEST(FalcoMatch, a_missing_value_is_false_whatever_the_operator) {
  EXPECT_EQ(fires("evt.type = execve and proc.pname != bash", program("/usr/bin/id", "id")), "no");
  EXPECT_EQ(fires("evt.type = execve and not proc.pname = bash", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and fd.name != x", program("/usr/bin/id", "id")),
            "the condition is never true of the events seen here");
  EXPECT_EQ(
      fires("evt.type in (rename, open, openat, openat2) and fd.name startswith /etc", change("rename", "/etc/x")),
      "no");
}

TEST(FalcoMatch, program_names_are_cut_and_ancestors_are_counted) {
  EXPECT_EQ(fires("evt.type = execve and proc.name = dpkg-preconfigu", program("/usr/bin/dpkg-preconfigure", "x")),
            "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aname in (sshd, x)", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aname = ssh", program("/usr/bin/id", "id")), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.aname[2] = sshd", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aname[3] = sshd", program("/usr/bin/id", "id")), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.aname[3] startswith sys", program("/usr/bin/id", "id")), "yes");
}

TEST(FalcoMatch, a_command_line_begins_with_the_program_name) {
  const v1::Event shell = program("/usr/bin/sh", "/bin/sh -c id");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline = \"sh -c id\"", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline startswith \"sh -c\"", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline startswith \"sh -x\"", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.args = \"-c id\"", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exe = /bin/sh", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.args = ''", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.args = ''", program("/usr/bin/pkexec", "/usr/bin/pkexec")), "yes");
}

TEST(FalcoMatch, connections_have_two_ends_and_no_outcome) {
  constexpr std::string_view kOutbound =
      "((evt.type = connect or (evt.type in (sendto,sendmsg) and fd.connected=false)) and (fd.typechar = 4 or "
      "fd.typechar = 6) and (fd.ip != \"0.0.0.0\" and fd.net != \"127.0.0.0/8\") and (evt.rawres >= 0 or evt.res = "
      "EINPROGRESS))";
  EXPECT_EQ(fires(kOutbound, connection("connect", "192.0.2.1", 443)), "yes");
  EXPECT_EQ(fires(kOutbound, connection("connect", "127.0.0.1", 443)), "no");
  EXPECT_EQ(fires(kOutbound, connection("accept", "192.0.2.1", 443)), "no");
  EXPECT_EQ(fires("evt.type = connect and evt.res = SUCCESS", connection("connect", "192.0.2.1", 443)),
            "event connect does not say whether it has succeeded");
  EXPECT_EQ(fires("evt.type = connect and fd.sport in (80, 443)", connection("connect", "192.0.2.1", 443)), "yes");
}

TEST(FalcoMatch, lists_of_values_and_quantities) {
  const v1::Event shell = program("/usr/bin/sh", "sh -c id");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline contains allof (-c, id)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline contains oneof (-c, id)", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.cmdline contains anyof ()", shell),
            "the condition is never true of the events seen here");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath pmatch (/usr, /x)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath pmatch (/us)", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath pmatch (/*/bin)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath glob /usr*sh", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath regex \"/usr/bin\"", shell), "no");
}

TEST(FalcoMatch, container_and_user_defaults) {
  v1::Event inside = program("/usr/bin/id", "id");
  inside.set_container_id("0123456789abcdef");
  EXPECT_EQ(fires("evt.type = execve and container.id != host", inside), "yes");
  EXPECT_EQ(fires("evt.type = execve and container.id = 0123456789ab", inside), "yes");
  EXPECT_EQ(fires("evt.type = execve and container.id != host", program("/usr/bin/id", "id")), "no");
  EXPECT_EQ(fires("evt.type = execve and user.loginuid = -1", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and user.uid = 0 and proc.tty = 0", program("/usr/bin/id", "id")), "yes");
}

TEST(FalcoMatch, flags_of_a_start_are_true_or_false) {
  v1::Event dropped = program("/tmp/x", "x");
  dropped.set_process_from_upper_layer("true");
  dropped.set_process_leads_group("true");
  EXPECT_EQ(fires("evt.type = execve and proc.is_exe_upper_layer = true", dropped), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.is_exe_upper_layer = false", dropped), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.is_exe_upper_layer != true", dropped), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.is_exe_from_memfd = true", dropped), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.is_exe_from_memfd = false", dropped), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.is_vpgid_leader = true", dropped), "yes");
}

TEST(FalcoMatch, numbers_capabilities_and_variables_of_a_start) {
  v1::Event first = program("/usr/bin/nginx", "nginx");
  first.set_process_vpid(1);
  first.set_process_cap_permitted("CAP_CHOWN CAP_SYS_ADMIN");
  first.set_process_cap_effective("CAP_SYS_MODULE");
  first.set_process_env_vars("LD_PRELOAD=/x.so\nHTTP_PROXY=http://p");
  EXPECT_EQ(fires("evt.type in (execve, execveat) and proc.vpid = 1", first), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.vpid = 2", first), "no");
  EXPECT_EQ(fires("evt.type = execve and thread.cap_permitted contains CAP_SYS_ADMIN", first), "yes");
  EXPECT_EQ(fires("evt.type = execve and thread.cap_effective icontains sys_module", first), "yes");
  EXPECT_EQ(fires("evt.type = execve and not thread.cap_permitted contains CAP_BPF", first), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.env icontains http_proxy", first), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.env contains GLIBC_TUNABLES", first), "no");
}

TEST(FalcoMatch, calls_that_change_privileges_or_the_kernel) {
  const auto call = [](v1::EventType type, const char* action) {
    v1::Event event = program("/usr/bin/tool", "tool");
    event.set_event_type(type);
    event.set_event_action(action);
    return event;
  };
  v1::Event user = call(v1::EVENT_TYPE_PRIVILEGE, "setuid");
  user.set_user_effective_name("www-data");
  user.set_user_effective_id(33);
  user.set_user_changes_effective_name("root");
  EXPECT_EQ(fires("evt.type = setuid and user.name = www-data and evt.arg.uid = root", user), "yes");
  EXPECT_EQ(fires("evt.type = setuid and user.uid = 0", user), "no");
  EXPECT_EQ(fires("evt.type = setgid", user), "no");
  EXPECT_EQ(fires("evt.type in (init_module, finit_module)", user), "no");
  v1::Event made = call(v1::EVENT_TYPE_PRIVILEGE, "unshare");
  made.set_namespace_types("CLONE_NEWNS|CLONE_NEWUSER");
  EXPECT_EQ(fires("evt.type = unshare and evt.arg.flags contains CLONE_NEWUSER and not thread.cap_permitted contains "
                  "CAP_SYS_ADMIN",
                  made),
            "yes");
  v1::Event traced = call(v1::EVENT_TYPE_PTRACE, "ptrace");
  traced.set_ptrace_request("PTRACE_SEIZE");
  EXPECT_EQ(fires("evt.type = ptrace and evt.arg.request contains PTRACE_SEIZE", traced), "yes");
  EXPECT_EQ(fires("evt.type = ptrace and evt.arg.request contains PTRACE_TRACEME", traced), "no");
  v1::Event module = call(v1::EVENT_TYPE_MODULE, "finit_module");
  module.set_process_cap_effective("CAP_SYS_MODULE");
  EXPECT_EQ(fires("evt.type in (init_module, finit_module) and thread.cap_effective icontains sys_module", module),
            "yes");
  EXPECT_EQ(
      fires("evt.type = bpf and (evt.arg.cmd = 5 or evt.arg.cmd = BPF_PROG_LOAD)", call(v1::EVENT_TYPE_BPF, "bpf")),
      "yes");
  EXPECT_EQ(fires("evt.type = userfaultfd and user.uid != 33 and (evt.rawres >= 0 or evt.res != -1)",
                  call(v1::EVENT_TYPE_KERNEL, "userfaultfd")),
            "yes");
  v1::Event mounted = call(v1::EVENT_TYPE_MOUNT, "mount");
  mounted.set_file_path("/mnt/host");
  mounted.set_mount_source("/dev/sda1");
  EXPECT_EQ(fires("evt.type = mount and evt.arg.dir startswith /mnt and evt.arg.dev = /dev/sda1", mounted), "yes");
}

TEST(FalcoMatch, the_commands_of_ancestors_are_their_programs) {
  v1::Event id = program("/usr/bin/id", "/usr/bin/id -u");
  id.set_process_parent_command_line("-bash --login");
  EXPECT_EQ(fires("evt.type = execve and proc.aexe[0] = /usr/bin/id", id), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aexe[1] = -bash", id), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aexe[2] endswith sshd", id), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aexe[2] endswith bash", id), "no");
  const Loaded loaded = load_rule({"evt.type = execve and (proc.aexe[2] endswith java or proc.env contains X)"});
  EXPECT_EQ(loaded.rules.at(0).lowered.notes.size(), 2U) << "said of both that they are not quite Falco's";
}

TEST(FalcoMatch, transformers_are_tests_of_what_they_transform) {
  const v1::Event shell = program("/usr/bin/SH", "/bin/sh -c id");
  EXPECT_EQ(fires("evt.type = execve and tolower(proc.name) = sh", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and tolower(proc.name) = Sh", shell),
            "the condition is never true of the events seen here");
  EXPECT_EQ(fires("evt.type = execve and tolower(proc.name) != sh", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and toupper(proc.exepath) startswith /USR/", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and tolower(proc.name) contains anyof (x, h)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and tolower(evt.res) = success", shell),
            "tolower(evt.res) with operator = has no test here");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) = SH", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) = bin/SH", shell),
            "the condition is never true of the events seen here");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) in (x, SH)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) != SH", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) startswith S", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and basename(proc.exepath) contains bin", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and basename(tolower(proc.exepath)) = sh", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) = 11", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) >= 12", shell), "no");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) <= 11 and len(proc.exepath) > 10", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) in (3, 11)", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) < 0", shell),
            "the condition is never true of the events seen here");
  EXPECT_EQ(fires("evt.type = execve and len(proc.exepath) > 100000", shell),
            "len() is compared with whole numbers below 1000 here");
  EXPECT_EQ(fires("evt.type = execve and concat(proc.exepath, \"!\") = \"/usr/bin/SH!\"", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and join(\"-\", (a, proc.exepath)) startswith a-/usr", shell), "yes");
  EXPECT_EQ(fires("evt.type = execve and concat(proc.name, proc.exepath) = x", shell),
            "concat of other than one field has no test here");
  EXPECT_EQ(fires("evt.type = execve and getopt(proc.args, \"c:\")[c] = id", shell),
            "getopt has no test here: arguments are kept as one text");
  EXPECT_EQ(fires("evt.type = execve and tolower(proc.name, x) = x", shell), "tolower takes 1 argument, not 2");
}

TEST(FalcoMatch, encoded_texts_and_other_fields) {
  v1::Event encoded = program("/usr/bin/aWQgLXU=", "x");
  EXPECT_EQ(fires("evt.type = execve and b64(user.name) = root", program("/a", "a")), "no");
  encoded.set_user_effective_name("aWQgLXU=");
  EXPECT_EQ(fires("evt.type = execve and b64(user.name) = \"id -u\"", encoded), "yes");
  encoded.set_user_effective_name("aWQgLXU");
  EXPECT_EQ(fires("evt.type = execve and b64(user.name) in (\"id -u\", x)", encoded), "yes");
  v1::Event same = program("/usr/bin/id", "/usr/bin/id");
  same.set_process_parent_executable("/usr/bin/id");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath = val(proc.pexepath)", same), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath != val(proc.pexepath)", same), "no");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath startswith val(proc.pexepath)", same), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.exepath != val(proc.pexepath)", program("/a", "a")), "no");
}

TEST(FalcoOutput, is_written_with_widths_and_missing_values) {
  const Loaded loaded =
      load_rule({"evt.type = execve",
                 "*Ran (%proc.name, %4user.name|%2user.name|%proc.pname %proc.aname[2] %container.id %evt.type)."});
  ASSERT_EQ(loaded.rules.size(), 1U);
  const event::Batch batch = falco_batch(program("/usr/bin/id", "id"));
  EXPECT_EQ(render(loaded.rules[0].output, batch.row(0)), "Ran (id, root|ro|<NA> sshd host execve).");
}

TEST(FalcoOutput, holds_no_control_bytes_and_evaluates_transformers) {
  const Loaded loaded =
      load_rule({"evt.type = execve",
                 "%proc.exe|%proc.cmdline|%toupper(proc.name)|%len(proc.name)|%basename(proc.exepath)|%join(\"+\", (a, "
                 "proc.name))|%b64(proc.name)|%proc.tty|%evt.time"});
  ASSERT_EQ(loaded.rules.size(), 1U);
  v1::Event event = program("/usr/bin/YQ==", "\x1b[2J\n x\ty");
  event.set_process_tty("pts/3");
  const event::Batch batch = falco_batch(std::move(event));
  EXPECT_EQ(render(loaded.rules[0].output, batch.row(0)),
            "\\u001b[2J\\n|YQ== x\\ty|YQ==|4|YQ==|a+YQ==|a|34819|00:00:00.000001000");
}

TEST(FalcoOutput, tells_flags_variables_and_times_of_a_start) {
  const Loaded loaded =
      load_rule({"evt.type = execve",
                 "%proc.is_exe_from_memfd %proc.is_exe_upper_layer|%proc.env|%proc.exe_ino.ctime|%proc.aexe[2]"});
  ASSERT_EQ(loaded.rules.size(), 1U);
  v1::Event event = program("memfd:x", "x");
  event.set_process_from_memfd("true");
  event.set_process_env_vars("A=1\nB=2");
  event.set_process_program_changed(1'000'000);
  const event::Batch batch = falco_batch(std::move(event));
  EXPECT_EQ(render(loaded.rules[0].output, batch.row(0)),
            "true false|A=1 B=2|1970-01-01T00:00:01.000000Z|/usr/sbin/sshd");
}

TEST(FalcoOutput, is_json_in_falcos_shape) {
  const Loaded loaded =
      load_rule({"evt.type = execve", "Ran %proc.name by %user.uid with %proc.pname %container.privileged"});
  ASSERT_EQ(loaded.rules.size(), 1U);
  v1::Event event = program("/usr/bin/id", "id");
  event.set_host_name("web-1");
  const event::Batch batch = falco_batch(std::move(event));
  AlertFormat format = *parts_of(loaded).rules.at(0).falco;
  format.tags = {"network", "T1059"};
  EXPECT_EQ(to_json(format, batch.row(0)),
            R"({"time":"1970-01-01T00:00:00.000001000Z","rule":"r","priority":"Warning","source":"syscall",)"
            R"("hostname":"web-1","output":"00:00:00.000001000: Warning Ran id by 0 with <NA> <NA>",)"
            R"("tags":["T1059","network"],"message":"Ran id by 0 with <NA> <NA>","output_fields":{"evt.time":1000,)"
            R"("proc.name":"id","user.uid":0,"proc.pname":null,"container.privileged":null}})");
}

TEST(FalcoRules, report_the_first_or_all_that_hold) {
  std::vector<Rule> rules(4);
  rules[1].falco = rules[2].falco = rules[3].falco = std::make_shared<const AlertFormat>();
  const std::vector<query::match::Hit> all = {{0, 0}, {0, 1}, {0, 3}, {1, 2}, {2, 0}, {2, 2}, {2, 3}};
  std::vector<query::match::Hit> hits = all;
  choose_hits(*rule_matching_named("all"), rules, hits);
  EXPECT_EQ(hits, all);
  choose_hits(*rule_matching_named("first"), rules, hits);
  EXPECT_EQ(hits, (std::vector<query::match::Hit>{{0, 0}, {0, 1}, {1, 2}, {2, 0}, {2, 2}}));
  EXPECT_FALSE(rule_matching_named("last"));
}

TEST(FalcoRules, become_rules_of_the_set) {
  RuleSetParts parts = parts_of(load_rule({"evt.type = execve"}));
  ASSERT_EQ(parts.rules.size(), 1U);
  EXPECT_EQ(parts.rules[0].format, "falco");
  EXPECT_EQ(parts.rules[0].id, rule_id("r"));
  EXPECT_EQ(parts.rules[0].importance, Importance::medium);
  EXPECT_EQ(parts.rules[0].falco->rule, "r");
  EXPECT_TRUE(parts.refusals.empty());
  parts = parts_of(load_rule({"evt.type = mkdir"}));
  ASSERT_EQ(parts.refusals.size(), 1U);
  EXPECT_EQ(parts.refusals[0].diagnostic.message, "event mkdir is not seen here");
}

TEST(FalcoRules, are_checked_with_line_and_caret) {
  const RuleSetParts parts = check(
      "- macro: unused\n  condition: evt.num=0\n- rule: r\n  desc: d\n  output: x\n  priority: Info\n"
      "  condition: evt.type in (execve, open)\n- rule: s\n  desc: d\n  output: \"%proc.nmae\"\n  priority: Info\n"
      "  condition: evt.type = execve\n",
      "a.yaml");
  ASSERT_EQ(parts.rules.size(), 1U);
  ASSERT_EQ(parts.refusals.size(), 1U);
  EXPECT_EQ(parts.refusals[0].rendered,
            "error LOAD_ERR_COMPILE_OUTPUT at 8:9: field 'proc.nmae' is not known\n"
            "  - rule: s\n"
            "          ^ did you mean 'proc.name'?");
  ASSERT_GE(parts.warnings.size(), 2U);
  EXPECT_EQ(parts.warnings[0].diagnostic.code, "LOAD_UNUSED_MACRO");
  EXPECT_EQ(parts.warnings.back().diagnostic.code, kPartly);
}

TEST(FalcoRules, stand_in_a_rule_directory_and_build_on_earlier_files) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "falco_rule_set";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "a.yaml") << "- macro: spawned\n  condition: evt.type = execve\n";
  std::ofstream(directory / "b.yaml") << "- rule: Spawned\n  desc: d\n  output: x\n  priority: Error\n"
                                         "  condition: spawned\n  tags: [T1059, mitre_execution]\n"
                                         "- rule: Traced\n  desc: d\n  output: x\n  priority: Error\n"
                                         "  condition: evt.type = quotactl\n";
  const auto set = RuleSet::load(directory.string());
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->rules().size(), 1U);
  EXPECT_EQ(set->rules()[0].title, "Spawned");
  EXPECT_EQ(set->rules()[0].path, "b.yaml");
  EXPECT_EQ(set->rules()[0].importance, Importance::high);
  EXPECT_EQ(set->rules()[0].techniques, std::vector<std::string>{"T1059"});
  EXPECT_EQ(set->rules()[0].tactics, std::vector<std::string>{"execution"});
  ASSERT_EQ(set->refusals().size(), 1U);
  EXPECT_EQ(set->refusals()[0].diagnostic.code, kNoEvent);
  EXPECT_TRUE(set->compile());
}

}  // namespace
}  // namespace redoubt::rules::falco
