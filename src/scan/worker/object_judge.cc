#include "scan/worker/object_judge.h"

#include <algorithm>
#include <array>
#include <new>
#include <unordered_map>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "scan/worker/identify/container_types.h"
#include "scan/worker/link_finder.h"

namespace redoubt::scan {

namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kMsPerSecond = 1000;
// Of the object's time in percent: until when unpacking may go on, and until when anything but what was handed in is
// scanned. The rest is for what was handed in.
constexpr int64_t kUnpackingShare = 60;
constexpr int64_t kInnerScanShare = 80;
// No engine has a pattern for less, and a scan costs a millisecond whatever the size.
constexpr size_t kScannedBytesMin = 4;
// ClamAV makes a file of each member of a container: of one with more inner objects than these it gets them alone.
constexpr size_t kInnerOfWholeMax = 64;
constexpr uint64_t kMemoryShareOfMember = 8;
constexpr uint64_t kMemoryShareOfHeld = 4;

// Types whose content has links that people may follow; XML would give the names of its schemas.
bool may_have_links(std::string_view type) {
  return type == "text/plain" || type == "text/html" || type == "text/rtf" || type == "text/x-c" ||
         type == "text/x-c++" || type == "application/xhtml+xml" || type.empty();
}

// One object of the tree while it is judged.
struct Node {
  std::string_view content;
  std::string name;
  std::string path;  // with the names of its containers
  std::string mime_type;
  size_t listed = 0;  // index in the report; of the nearest container that is listed, where it is not itself
  enum class Listed { yes, no } is_listed = Listed::yes;
  size_t depth = 0;
  Handover handover = Handover::by_itself;
};

class Judge final : public Unpacking {
 public:
  Judge(Engines& engines, const wire::Request& request, const JudgeLimits& limits, PartSink& parts, Budget& budget,
        Passwords& passwords)
      : Unpacking(budget, passwords),
        engines_(engines),
        request_(request),
        parts_(parts),
        time_ms_max_(limits.object_time_ms_max),
        start_ns_(base::boottime_ns()) {}

  wire::Report judge(std::string_view content);

  void add(const Child& child) override;
  void add_link(std::string_view link) override { links_.add(link); }

 private:
  enum class Seen { first, again };
  void examine(Node& node);
  void list(Node& node, const Node& parent, const Child& child);
  Seen remember(Node& node, const Child& child);
  Unpacked unpack(const Node& node);
  std::string why_closed(const Node& node) const;
  bool is_for_clamav(const Node& node) const;
  void hand_over(const Node& node, wire::Part::Kind kind);
  void scan(const Node& node);
  void found(const Node& node, std::vector<wire::FoundRule> rules);
  void remark(const Node& node, const std::string& text);
  void note(const std::string& line);
  int64_t spent_ms() const { return (base::boottime_ns() - start_ns_) / kNsPerMs; }

  Engines& engines_;
  const wire::Request& request_;
  PartSink& parts_;
  const int64_t time_ms_max_;
  const int64_t start_ns_;
  wire::Report report_;
  Links links_;
  const Node* current_ = nullptr;
  std::unordered_map<std::string, size_t> seen_;  // SHA-256 to index
  size_t added_ = 0;
  size_t not_listed_ = 0;
  size_t notes_left_out_ = 0;
  std::optional<Error> failure_;
};

wire::Report Judge::judge(std::string_view content) {
  Node root;
  root.content = content;
  root.name = root.path = request_.name;
  root.mime_type = engines_.types->mime_type(content);
  report_.page.objects.push_back({0, root.name, root.mime_type, "", content.size(), ""});
  passwords.add_from_name(root.name);
  examine(root);
  if (const auto& spent = budget.spent()) note("unpacking stopped: " + spent->why);
  if (not_listed_ > 0) {
    note(std::to_string(not_listed_) + " inner objects are not listed: only the first " +
         std::to_string(wire::kObjectsMax) + " are");
  }
  if (notes_left_out_ > 0) {
    report_.page.not_scanned.back() = std::to_string(notes_left_out_ + 1) + " more, see the remarks of the objects";
  }
  report_.page.links = links_.take();
  report_.mime_type = root.mime_type;
  report_.verdict = report_.found.empty() ? Verdict::not_detected : Verdict::detect;
  if (failure_ && report_.found.empty()) {
    report_.verdict = failure_->code == Errc::timeout ? Verdict::timeout : Verdict::error;
    report_.error = failure_->message;
  }
  return std::move(report_);
}

// Children are done before ClamAV's share of their container is known.
void Judge::examine(Node& node) {
  if (may_have_links(node.mime_type)) links_.add_from_text(node.content);
  const size_t added_before = added_;
  const Unpacked unpacked = unpack(node);
  if (!unpacked.remark.empty()) remark(node, unpacked.remark);
  if (unpacked.coverage != Unpacked::Coverage::whole) {
    hand_over(node, wire::Part::Kind::closed);
  } else if (added_ - added_before <= kInnerOfWholeMax) {
    hand_over(node, wire::Part::Kind::opened);
  } else if (is_for_clamav(node)) {
    remark(node,
           "clamav: not asked about the whole, more than " + std::to_string(kInnerOfWholeMax) + " objects are in it");
  }
  scan(node);
}

Unpacked Judge::unpack(const Node& node) {
  if (node.depth >= budget.limits().depth_max) {
    if (!is_container_type(node.mime_type)) return {};
    return {Unpacked::Coverage::part, "nested deeper than " + std::to_string(budget.limits().depth_max) + " levels"};
  }
  const Node* const outer = std::exchange(current_, &node);
  const Container container{node.content, node.mime_type};
  Unpacked result;
  try {
    result = engines_.mail->unpack(container, *this);
    if (result.coverage == Unpacked::Coverage::none) result = engines_.tnef->unpack(container, *this);
    if (result.coverage == Unpacked::Coverage::none) {
      result = engines_.pdf->unpack(container, *this);
      // A PDF may be an archive as well; ClamAV gets it as a PDF in any case.
      Unpacked archive = engines_.archive->unpack(container, *this);
      if (archive.coverage == Unpacked::Coverage::whole && !is_archive_alone(node.content, node.mime_type)) {
        archive.coverage = Unpacked::Coverage::part;
      }
      if (result.coverage == Unpacked::Coverage::none) result = std::move(archive);
    }
  } catch (const std::bad_alloc&) {
    result = {Unpacked::Coverage::part, "does not fit the scan worker's memory"};
  }
  current_ = outer;
  if (result.coverage != Unpacked::Coverage::none) return result;
  return {Unpacked::Coverage::none, why_closed(node)};
}

// Of a container that nobody opened; empty for what is none.
std::string Judge::why_closed(const Node& node) const {
  if (is_container_type(node.mime_type)) return "cannot be unpacked";
  if (is_disk_image(node.content, node.mime_type)) return "a disk image: what is in it is not looked into";
  const bool needs_clamav = request_.relay == wire::Relay::none && is_opened_by_clamav_alone(node.mime_type);
  return needs_clamav ? "opened by ClamAV alone, which does not judge here" : "";
}

void Judge::add(const Child& child) {
  const Node& parent = *current_;
  ++added_;
  Node node;
  node.content = child.content;
  node.name = base::escape_invalid_utf8(child.name);
  node.path = parent.path + "/" + node.name;
  node.depth = parent.depth + 1;
  node.handover = parent.handover == Handover::in_container ? parent.handover : child.handover;
  list(node, parent, child);
  if (!child.remark.empty()) note(node.path + ": " + child.remark);
  if (node.content.empty() || remember(node, child) == Seen::again) return;
  node.mime_type = engines_.types->mime_type(node.content);
  if (node.is_listed == Node::Listed::yes) report_.page.objects[node.listed].mime_type = node.mime_type;
  passwords.add_from_name(node.name);
  examine(node);
}

void Judge::list(Node& node, const Node& parent, const Child& child) {
  auto& objects = report_.page.objects;
  if (objects.size() >= wire::kObjectsMax) {
    node.is_listed = Node::Listed::no;
    node.listed = parent.listed;
    ++not_listed_;
    return;
  }
  node.listed = objects.size();
  const uint64_t size = std::max<uint64_t>(child.size_bytes, child.content.size());
  objects.push_back({parent.listed, node.name, "", "", size, child.remark});
}

// The same content once more tells the engines nothing new. What was cut has no hash.
Judge::Seen Judge::remember(Node& node, const Child& child) {
  if (!child.remark.empty()) return Seen::first;
  const std::string hash = base::sha256_hex(node.content);
  auto& objects = report_.page.objects;
  if (node.is_listed == Node::Listed::yes) objects[node.listed].sha256 = hash;
  const auto [first, is_new] = seen_.emplace(hash, node.listed);
  if (is_new) return Seen::first;
  if (node.is_listed == Node::Listed::yes) {
    objects[node.listed].mime_type = objects[first->second].mime_type;
    objects[node.listed].remark = "the same content as " + objects[first->second].name;
  }
  return Seen::again;
}

bool Judge::is_for_clamav(const Node& node) const {
  return request_.relay == wire::Relay::clamav && node.handover != Handover::in_container &&
         node.content.size() >= kScannedBytesMin;
}

// A container that was opened goes too, after all that was in it: signatures may be of the whole, and ClamAV knows by
// then what it has seen of the rest.
void Judge::hand_over(const Node& node, wire::Part::Kind kind) {
  if (!is_for_clamav(node)) return;
  const bool is_root = node.depth == 0;
  const wire::Part part{node.listed, node.path, kind};
  const Status sent = parts_.send(part, is_root ? std::nullopt : std::optional(node.content));
  if (!sent) note(node.path + ": clamav: " + sent.error().message);
}

void Judge::scan(const Node& node) {
  const bool is_root = node.depth == 0;
  if (!is_root && node.content.size() < kScannedBytesMin) return;
  if (!is_root && spent_ms() > time_ms_max_ * kInnerScanShare / 100) {
    remark(node, "yara: time is up");
    return;
  }
  const int left_s = static_cast<int>(std::max<int64_t>(1, (time_ms_max_ - spent_ms()) / kMsPerSecond));
  const int64_t cpu_before_ns = base::thread_cpu_ns();
  auto judged = engines_.yara->scan({node.content, node.name, node.mime_type}, left_s);
  report_.cpu.yara_ns += base::thread_cpu_ns() - cpu_before_ns;
  if (judged) return found(node, std::move(judged->found));
  if (!failure_) failure_ = judged.error();
  remark(node, judged.error().message);
}

void Judge::found(const Node& node, std::vector<wire::FoundRule> rules) {
  for (wire::FoundRule& rule : rules) {
    if (report_.found.size() >= wire::kDetectionsMax) return;
    rule.object = node.listed;
    if (node.is_listed == Node::Listed::no) rule.description = "in " + node.path + ": " + rule.description;
    report_.found.push_back(std::move(rule));
  }
}

void Judge::remark(const Node& node, const std::string& text) {
  std::string& old = report_.page.objects[node.listed].remark;
  if (node.is_listed == Node::Listed::yes) old += (old.empty() ? "" : "; ") + text;
  note(node.path + ": " + text);
}

void Judge::note(const std::string& line) {
  auto& lines = report_.page.not_scanned;
  if (lines.size() < wire::kNotScannedMax) return lines.push_back(line);
  ++notes_left_out_;
}

}  // namespace

uint64_t member_bytes_max(uint64_t memory_bytes_max) {
  return std::min(BudgetLimits{}.member_bytes_max, memory_bytes_max / kMemoryShareOfMember);
}

wire::Report judge_object(Engines& engines, const wire::Request& request, std::string_view content,
                          const JudgeLimits& limits, PartSink& parts) {
  BudgetLimits bounds;
  bounds.member_bytes_max = member_bytes_max(limits.memory_bytes_max);
  bounds.held_bytes_max = std::min(bounds.held_bytes_max, limits.memory_bytes_max / kMemoryShareOfHeld);
  bounds.deadline_ns = base::boottime_ns() + limits.object_time_ms_max * kNsPerMs * kUnpackingShare / 100;
  Budget budget(bounds, content.size());
  Passwords passwords(request.passwords);
  return Judge(engines, request, limits, parts, budget, passwords).judge(content);
}

}  // namespace redoubt::scan
