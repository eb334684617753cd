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
  event.set_process_comm(executable.substr(executable.rfind('/') + 1).substr(0, 15));
  event.set_process_command_line(command_line);
  event.set_process_ancestors("/usr/bin/bash\n/usr/sbin/sshd\n/usr/lib/systemd/systemd");
  event.set_process_ancestor_comms("bash\nsshd\nsystemd");
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
  EXPECT_EQ(fires("evt.type = readlink", program("/usr/bin/id", "id")), "event readlink is not seen here");
}

TEST(FalcoMatch, opens_are_told_apart_by_their_flags_and_modes) {
  constexpr std::string_view kRead = "evt.type in (open,openat,openat2) and evt.is_open_read=true and fd.typechar='f'";
  constexpr std::string_view kWrite = "evt.type in (open,openat,openat2) and evt.is_open_write=true";
  constexpr std::string_view kDirectory =
      "evt.type in (open,openat,openat2) and evt.is_open_read=true and fd.typechar='d'";
  v1::Event read = change("read", "/etc/shadow");
  read.set_file_open_flags("O_RDONLY|O_CLOEXEC");
  read.set_file_type("file");
  EXPECT_EQ(fires(kRead, read), "yes");
  EXPECT_EQ(fires(kWrite, read), "no");
  EXPECT_EQ(fires(kDirectory, read), "no");
  read.set_file_type("dir");
  EXPECT_EQ(fires(kRead, read), "no");
  EXPECT_EQ(fires(kDirectory, read), "yes");

  v1::Event made = change("create", "/tmp/x");
  made.set_file_open_flags("O_RDONLY|O_CREAT");
  made.set_file_mode("0640");
  EXPECT_EQ(fires(kRead, made), "yes");
  EXPECT_EQ(fires(kWrite, made), "no");
  made.set_file_open_flags("O_RDWR|O_CREAT");
  EXPECT_EQ(fires(kRead, made), "yes");
  EXPECT_EQ(fires(kWrite, made), "yes");
  EXPECT_EQ(fires("evt.type = openat and evt.arg.flags contains O_CREAT", made), "yes");
  EXPECT_EQ(fires("evt.type = openat and evt.arg.flags contains O_TRUNC", made), "no");
  EXPECT_EQ(fires("evt.type = openat and evt.is_open_exec = true", made), "no");
  made.set_file_mode("0610");
  EXPECT_EQ(fires("evt.type = openat and evt.is_open_exec = true", made), "yes");
  EXPECT_EQ(fires(kWrite, change("write", "/etc/passwd")), "yes") << "recorded without flags";
}

TEST(FalcoMatch, names_and_modes_that_calls_are_given) {
  v1::Event link = change("link", "/tmp/x");
  link.set_file_target_path("/etc/shadow");
  EXPECT_EQ(fires("evt.type in (link, linkat) and evt.arg.oldpath = /etc/shadow", link), "yes");
  EXPECT_EQ(fires("evt.type in (link, linkat) and evt.arg.newpath startswith /tmp/", link), "yes");
  v1::Event symlink = change("symlink", "/tmp/x");
  symlink.set_file_target_path("/etc/shadow");
  EXPECT_EQ(fires("evt.type in (symlink, symlinkat) and evt.arg.target in (/etc/shadow)", symlink), "yes");
  EXPECT_EQ(fires("evt.type in (symlink, symlinkat) and evt.arg.linkpath endswith x", symlink), "yes");
  EXPECT_EQ(fires("evt.type in (mkdir, mkdirat) and evt.arg.path pmatch (/usr/bin)", change("mkdir", "/usr/bin/x")),
            "yes");
  EXPECT_EQ(fires("evt.type in (rmdir, unlink, unlinkat) and evt.arg.path startswith /tmp", change("rmdir", "/tmp/d")),
            "yes");
  v1::Event mode = change("permission", "/tmp/x");
  mode.set_file_mode("4710");
  constexpr std::string_view kChmod = "evt.type in (chmod, fchmod, fchmodat) and evt.arg.mode contains ";
  const std::pair<std::string_view, std::string_view> bits[] = {{"S_ISUID", "yes"}, {"S_ISGID", "no"},
                                                                {"S_IXUSR", "yes"}, {"S_IXGRP", "yes"},
                                                                {"S_IXOTH", "no"},  {"S_IWUSR", "yes"}};
  for (const auto& [bit, outcome] : bits)
    EXPECT_EQ(fires(std::string(kChmod) + std::string(bit), mode), outcome) << bit;
  EXPECT_EQ(fires(std::string(kChmod) + "S_IX", mode), "'S_IX' is not a bit of a mode");
}

TEST(FalcoMatch, the_raw_name_is_what_the_caller_gave) {
  v1::Event read = change("read", "/etc/shadow");
  constexpr std::string_view kTraversal = "evt.type = openat and fd.nameraw contains '../'";
  EXPECT_EQ(fires(kTraversal, read), "no");
  read.set_file_claimed_path("/srv/www/../../etc/shadow");
  EXPECT_EQ(fires(kTraversal, read), "yes");
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

TEST(FalcoMatch, names_are_those_of_the_kernel_and_ancestors_are_counted) {
  EXPECT_EQ(fires("evt.type = execve and proc.name = dpkg-preconfigu", program("/usr/bin/dpkg-preconfigure", "x")),
            "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.name = dpkg-preconfigure", program("/usr/bin/dpkg-preconfigure", "x")),
            "no");
  EXPECT_EQ(fires("evt.type = execve and proc.aname startswith ssh", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aname endswith hd", program("/usr/bin/id", "id")), "yes");
  EXPECT_EQ(fires("evt.type = execve and proc.aname startswith sh", program("/usr/bin/id", "id")), "no");
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

TEST(FalcoMatch, connections_have_two_ends_and_an_outcome) {
  constexpr std::string_view kOutbound =
      "((evt.type = connect or (evt.type in (sendto,sendmsg) and fd.connected=false)) and (fd.typechar = 4 or "
      "fd.typechar = 6) and (fd.ip != \"0.0.0.0\" and fd.net != \"127.0.0.0/8\") and (evt.rawres >= 0 or evt.res = "
      "EINPROGRESS))";
  EXPECT_EQ(fires(kOutbound, connection("connect", "192.0.2.1", 443)), "yes");
  EXPECT_EQ(fires(kOutbound, connection("connect", "127.0.0.1", 443)), "no");
  EXPECT_EQ(fires(kOutbound, connection("accept", "192.0.2.1", 443)), "no");
  EXPECT_EQ(fires("evt.type = connect and evt.res = SUCCESS", connection("connect", "192.0.2.1", 443)), "yes");
  EXPECT_EQ(fires("evt.type = connect and evt.res != SUCCESS", connection("connect", "192.0.2.1", 443)), "no");
  v1::Event refused = connection("connect", "192.0.2.1", 443);
  refused.set_error_code("ECONNREFUSED");
  EXPECT_EQ(fires(kOutbound, refused), "no");
  EXPECT_EQ(fires("evt.type = connect and evt.res != SUCCESS", refused), "yes");
  EXPECT_EQ(fires("evt.type = connect and evt.res in (SUCCESS, ECONNREFUSED)", refused), "yes");
  EXPECT_EQ(fires("evt.type = connect and evt.rawres = -111", refused), "yes");
  EXPECT_EQ(fires("evt.type = connect and evt.rawres < 0", refused), "yes");
  EXPECT_EQ(fires("evt.type = connect and evt.rawres > -111", refused), "no");
  v1::Event pending = connection("connect", "192.0.2.1", 443);
  pending.set_error_code("EINPROGRESS");
  EXPECT_EQ(fires(kOutbound, pending), "yes");
  EXPECT_EQ(fires("evt.type = connect and fd.sport in (80, 443)", connection("connect", "192.0.2.1", 443)), "yes");
}

TEST(FalcoMatch, datagrams_are_of_a_new_peer) {
  constexpr std::string_view kOutbound =
      "(evt.type = connect or (evt.type in (sendto,sendmsg) and fd.l4proto != tcp and fd.connected=false and "
      "fd.name_changed=true)) and (fd.typechar = 4 or fd.typechar = 6) and evt.rawres >= 0 and fd.sport = 53";
  constexpr std::string_view kInbound =
      "(evt.type in (accept,accept4,listen) or (evt.type in (recvfrom,recvmsg) and fd.l4proto != tcp and "
      "fd.connected=false and fd.name_changed=true)) and fd.cip = 10.0.0.9";
  v1::Event sent = connection("send", "192.0.2.1", 53);
  sent.set_network_transport("udp");
  EXPECT_EQ(fires(kOutbound, sent), "yes");
  EXPECT_EQ(fires("evt.type = sendto and fd.rip = 192.0.2.1 and fd.lip = 10.0.0.9", sent), "yes");
  EXPECT_EQ(fires(kInbound, sent), "no");
  v1::Event received = connection("receive", "192.0.2.1", 53);
  received.set_network_transport("udp");
  EXPECT_EQ(fires(kInbound, received), "yes");
  EXPECT_EQ(fires(kOutbound, received), "no");
  EXPECT_EQ(fires("evt.type = recvfrom and fd.rip = 10.0.0.9 and fd.is_server = true", received), "yes");
  EXPECT_EQ(fires("evt.type = sendto and fd.l4proto = tcp", sent),
            "the condition is never true of the events seen here");
}

v1::Event socket_event(v1::EventType type, const std::string& action) {
  v1::Event event = connection(action, "192.0.2.1", 4444);
  event.set_event_type(type);
  return event;
}

TEST(FalcoMatch, sockets_that_listen_are_raw_or_take_the_place_of_standard_input) {
  v1::Event listening = socket_event(v1::EVENT_TYPE_LISTEN, "listen");
  listening.clear_source_ip();
  EXPECT_EQ(fires("evt.type = listen and fd.sport = 4444 and fd.sip = 192.0.2.1 and fd.l4proto = tcp", listening),
            "yes");
  EXPECT_EQ(fires("evt.type in (accept, accept4, listen) and not fd.cip = 10.0.0.9", listening), "yes");
  v1::Event packet = socket_event(v1::EVENT_TYPE_SOCKET, "create");
  packet.set_socket_family("AF_PACKET");
  EXPECT_EQ(fires("evt.type = socket and evt.arg.domain contains AF_PACKET", packet), "yes");
  EXPECT_EQ(fires("evt.type = socket and evt.arg[domain] contains AF_INET", packet), "no");
  v1::Event shell = socket_event(v1::EVENT_TYPE_SOCKET, "dup");
  shell.set_socket_descriptor(1);
  EXPECT_EQ(fires("evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6)", shell),
            "yes");
  EXPECT_EQ(fires("evt.type in (dup, dup2, dup3) and evt.rawres = 2", shell), "no");
}

std::vector<std::string> notes_on(std::string_view condition) {
  return load_rule({condition}).rules.at(0).lowered.notes;
}

TEST(FalcoMatch, says_which_calls_are_no_events) {
  EXPECT_EQ(notes_on("evt.type = socket"),
            std::vector<std::string>{"event socket is seen for raw and packet sockets only"});
  EXPECT_TRUE(notes_on("evt.type = socket and evt.arg.domain contains AF_PACKET").empty());
  EXPECT_TRUE(notes_on("(evt.type = connect or (evt.type in (sendto, sendmsg) and fd.name_changed = true)) and "
                       "fd.sport = 1")
                  .empty());
  EXPECT_EQ(notes_on("evt.type in (sendto, sendmsg) and not fd.name_changed = false and fd.sport = 1"),
            std::vector<std::string>{"event sendto is seen for the first datagram to a peer only"});
  EXPECT_TRUE(notes_on("evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1)").empty());
  EXPECT_EQ(notes_on("evt.type in (dup, dup2, dup3) and evt.rawres >= 0").size(), 1U);
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

v1::Event in_pod() {
  v1::Event event = program("/usr/bin/id", "id");
  event.set_container_id(std::string(64, 'a'));
  event.set_container_name("web");
  event.set_container_image_name("docker.io/library/nginx");
  event.set_container_image_tag("1.27");
  event.set_container_privileged("true");
  event.set_container_mounts("/etc:/host-etc:ro:false:private\n/proc/1:/p:rw:true:rslave");
  event.set_container_labels("io.kubernetes.pod.name=web-0\ntier=front");
  event.set_orchestrator_resource_name("web-0");
  event.set_orchestrator_namespace("shop");
  event.set_orchestrator_resource_label("app=web\napp.kubernetes.io/name=shop front");
  return event;
}

TEST(FalcoMatch, containers_and_pods) {
  for (const char* holds :
       {"container.image.repository endswith nginx", "container.privileged=true", "k8s.ns.name in (shop, x)",
        "k8s.pod.name startswith web", "k8s.pod.label[app] = web", "k8s.pod.label.app = web",
        "k8s.pod.label[app.kubernetes.io/name] contains front", "container.label[tier] in (front, back)",
        "container.mount.dest[/etc] = /host-etc", "container.mount.dest[/proc*] = /p",
        "container.mount.source[/p] = /proc/1", "container.mount.rdwr[1] = true", "container.mount.mode[0] = ro",
        "not container.mount.dest[/etc] in (\"<NA>\", \"N/A\")", "container.mount.dest[/root*] in (\"<NA>\", \"N/A\")",
        "container.name = web and container.image.tag != latest"}) {
    EXPECT_EQ(fires("evt.type = execve and " + std::string(holds), in_pod()), "yes") << holds;
  }
  for (const char* holds : {"container.privileged=false", "k8s.pod.label[pp] = web", "k8s.pod.label[app] = we",
                            "container.mount.dest[/etc] = /host", "container.mount.dest[2] exists",
                            "container.mount.dest[/etc] in (\"<NA>\", \"N/A\")", "k8s.pod.label[tier] = front"}) {
    EXPECT_EQ(fires("evt.type = execve and " + std::string(holds), in_pod()), "no") << holds;
  }
  const v1::Event on_host = program("/usr/bin/id", "id");
  EXPECT_EQ(fires("evt.type = execve and not container.mount.dest[/etc] in (\"<NA>\", \"N/A\")", on_host), "no");
  EXPECT_EQ(fires("evt.type = execve and container.privileged=false", on_host), "no");
  EXPECT_EQ(fires("evt.type = openat and container.mount.dest[/etc] = /x", on_host),
            "field container.mount.dest[/etc] has no value here on openat");
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
  parts = parts_of(load_rule({"evt.type = readlink"}));
  ASSERT_EQ(parts.refusals.size(), 1U);
  EXPECT_EQ(parts.refusals[0].diagnostic.message, "event readlink is not seen here");
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
