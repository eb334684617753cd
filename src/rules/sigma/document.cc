#include "rules/sigma/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <istream>
#include <streambuf>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Byte offsets of the lines, to turn yaml-cpp's byte columns into code points.
class Lines {
 public:
  explicit Lines(std::string_view source) : source_(source) {
    starts_.push_back(0);
    for (size_t i = 0; i < source.size(); ++i) {
      if (source[i] == '\n') starts_.push_back(i + 1);
    }
  }

  std::string_view from(const YAML::Mark& mark) const {
    const std::string_view rest = source_.substr(starts_[line_of(mark)]);
    return rest.substr(std::min(rest.size(), static_cast<size_t>(std::max(mark.column, 0))));
  }

  // Marks come mostly in order: what was counted of a line is not counted again, or a long line would cost its square.
  Place place(const YAML::Mark& mark) const {
    const size_t start = starts_[line_of(mark)];
    const auto at = static_cast<size_t>(from(mark).data() - source_.data());
    if (start != counted_from_ || at < counted_to_) {
      counted_from_ = counted_to_ = start;
      counted_ = 0;
    }
    counted_ += count_code_points(source_.substr(counted_to_, at - counted_to_));
    counted_to_ = at;
    return {.line = line_of(mark) + 1, .column = counted_ + 1, .length = 1};
  }

 private:
  size_t line_of(const YAML::Mark& mark) const {
    return std::min(starts_.size() - 1, static_cast<size_t>(std::max(mark.line, 0)));
  }

  std::string_view source_;
  std::vector<size_t> starts_;
  // The code points between counted_from_, the start of a line, and counted_to_.
  mutable size_t counted_from_ = 0;
  mutable size_t counted_to_ = 0;
  mutable size_t counted_ = 0;
};

// Builds the trees from the parser's events. Past a limit it takes nothing more in; the parser runs on to the end of a
// text that kFileSizeMax bounds.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Lines& lines, Problems& problems) : lines_(lines), problems_(problems) {}

  std::vector<Node> take() { return std::move(documents_); }
  // True once nothing more is taken in.
  bool stopped() const { return stopped_; }

  // The parser starts the same empty document for ever where it meets a stray `,` or `]`.
  void OnDocumentStart(const YAML::Mark& mark) override {
    open_.clear();
    if (mark.pos == document_start_) {
      problems_.add(code::kYaml, lines_.place(mark), "not valid YAML: a value does not start with this");
      stopped_ = true;
    }
    document_start_ = mark.pos;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make(mark, NodeKind::null)); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not accepted", "write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    Node node = make(mark, NodeKind::scalar);
    node.quoting = tag == "?" || tag.empty() ? Quoting::plain : Quoting::quoted;
    node.text = value;
    locate_text(mark, node);
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(make(mark, NodeKind::sequence));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(make(mark, NodeKind::map));
  }
  void OnMapEnd() override { close(); }

 private:
  Node make(const YAML::Mark& mark, NodeKind kind) const {
    Node node;
    node.kind = kind;
    node.place = lines_.place(mark);
    return node;
  }

  void locate_text(const YAML::Mark& mark, Node& node) const {
    const std::string_view written = lines_.from(mark);
    if (written.starts_with(node.text)) {
      node.text_offset = 0;
    } else if (!written.empty() && written.substr(1).starts_with(node.text)) {
      node.text_offset = 1;
    }
    const std::string_view first_line = std::string_view(node.text).substr(0, node.text.find('\n'));
    const size_t quotes = node.text_offset == 1U ? 2 : 0;
    // No further than the line goes, and no look at more of it than the value has bytes.
    const std::string_view line = written.substr(0, first_line.size() + quotes);
    const size_t there = count_code_points(line.substr(0, line.find_first_of("\r\n")));
    node.place.length = std::clamp<size_t>(count_code_points(first_line) + quotes, 1, std::max<size_t>(1, there));
  }

  void refuse(const YAML::Mark& mark, std::string message, std::string hint) {
    problems_.add(code::kYamlLimit, lines_.place(mark), std::move(message), std::move(hint));
    stopped_ = true;
  }

  bool admit(const Node& node) {
    if (!stopped_ && ++nodes_ > kYamlNodesMax) {
      problems_.add(code::kYamlLimit, node.place, "more than " + std::to_string(kYamlNodesMax) + " values in one file");
      stopped_ = true;
    }
    if (!stopped_ && open_.size() >= kYamlDepthMax) {
      problems_.add(code::kYamlLimit, node.place, "nested deeper than " + std::to_string(kYamlDepthMax) + " levels");
      stopped_ = true;
    }
    return !stopped_;
  }

  void open(Node node) {
    if (admit(node)) open_.push_back(std::move(node));
  }

  void close() {
    if (stopped_) return;
    Node node = std::move(open_.back());
    open_.pop_back();
    place(std::move(node));
  }

  void add(Node node) {
    if (admit(node)) place(std::move(node));
  }

  void place(Node node) {
    if (!open_.empty()) {
      open_.back().items.push_back(std::move(node));
    } else if (node.kind != NodeKind::null) {
      documents_.push_back(std::move(node));
    }
  }

  const Lines& lines_;
  Problems& problems_;
  std::vector<Node> open_;
  std::vector<Node> documents_;
  size_t nodes_ = 0;
  bool stopped_ = false;
  int document_start_ = -1;
};

// Reads a view in place; std::istringstream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view view) {
    char* start = const_cast<char*>(view.data());
    setg(start, start, start + view.size());
  }
};

void check_unique_keys(const Node& node, Problems& problems) {
  if (node.kind == NodeKind::map) {
    std::vector<std::string_view> keys;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) keys.push_back(node.items[i].text);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) {
      for (size_t i = node.items.size() - 2;; i -= 2) {
        if (node.items[i].text != *twice) continue;
        problems.add(code::kShape, node.items[i].place, "key '" + std::string(*twice) + "' stands here twice");
        break;
      }
    }
  }
  for (const Node& item : node.items) check_unique_keys(item, problems);
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  if (kind != NodeKind::map) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == NodeKind::scalar && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

std::string_view Node::text_of(std::string_view key) const {
  const Node* value = find(key);
  return value != nullptr && value->kind == NodeKind::scalar ? std::string_view(value->text) : "";
}

std::vector<Node> parse_yaml(std::string_view source, Problems& problems) {
  if (source.size() > kFileSizeMax) {
    problems.add(code::kFile, {}, "file has more than " + std::to_string(kFileSizeMax) + " bytes");
    return {};
  }
  if (source.find('\0') != std::string_view::npos || !base::is_utf8(source)) {
    problems.add(code::kFile, {}, "file is not UTF-8 text");
    return {};
  }
  if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
  const Lines lines(source);
  TreeBuilder builder(lines, problems);
  try {
    ViewBuffer buffer(source);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (!builder.stopped() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    problems.add(code::kYaml, lines.place(error.mark), "not valid YAML: " + error.msg);
  }
  std::vector<Node> documents = builder.take();
  for (const Node& document : documents) check_unique_keys(document, problems);
  return documents;
}

}  // namespace redoubt::rules::sigma
