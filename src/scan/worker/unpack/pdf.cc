// PDF by qpdf: embedded files and scripts become children, URIs become links. The rest (fonts, images, pages) is not
// unpacked: ClamAV reads the PDF as a whole.
#define POINTERHOLDER_TRANSITION 4  // none of qpdf's old pointers are used
#include <array>
#include <exception>
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "scan/worker/unpack/unpacker.h"

namespace redoubt::scan {

namespace {

constexpr size_t kHeadBytesSearched = 1024;
constexpr int kDirectDepthMax = 20;
constexpr size_t kPdfTextBytesMax = 200;
constexpr int64_t kPdfGuessingNsMax = 3'000'000'000;

struct BudgetSpent final : std::exception {
  const char* what() const noexcept override { return "what unpacking may cost is spent"; }
};

// Takes what a stream's filters give; an exception is the only way to stop them.
class PdfStreamEnd final : public Pipeline {
 public:
  explicit PdfStreamEnd(MemberBuffer& buffer) : Pipeline("redoubt", nullptr), buffer_(buffer) {}
  void write(const unsigned char* data, size_t size) override {
    if (!refused) refused = buffer_.append({reinterpret_cast<const char*>(data), size});
    if (refused) throw BudgetSpent();
  }
  void finish() override {}

  std::optional<Refusal> refused;

 private:
  MemberBuffer& buffer_;
};

class PdfReader {
 public:
  explicit PdfReader(Unpacking& to) : to_(to) { pdf_.setSuppressWarnings(true); }

  Unpacked read(std::string_view content);

 private:
  enum class Opened { yes, no_password };
  Opened open(std::string_view content);
  bool open_with(std::string_view content, const std::string& password);
  void visit(QPDFObjectHandle object, int depth);
  void visit_dictionary(QPDFObjectHandle dictionary);
  void add_embedded(QPDFObjectHandle specification);
  void add_script(QPDFObjectHandle script);
  void add_stream(std::string name, QPDFObjectHandle stream);
  void add_bytes(std::string name, std::string_view bytes);

  Unpacking& to_;
  QPDF pdf_;
  Handover handover_ = Handover::in_container;
  std::set<QPDFObjGen> added_;
  size_t scripts_ = 0;
  size_t files_ = 0;
};

bool PdfReader::open_with(std::string_view content, const std::string& password) {
  try {
    pdf_.processMemoryFile("object", content.data(), content.size(), password.c_str());
    return true;
  } catch (const QPDFExc& error) {
    if (error.getErrorCode() != qpdf_e_password) throw;
    return false;
  }
}

PdfReader::Opened PdfReader::open(std::string_view content) {
  if (open_with(content, "")) return Opened::yes;
  const int64_t until_ns = base::boottime_ns() + kPdfGuessingNsMax;
  for (const std::string& password : to_.passwords.candidates()) {
    if (base::boottime_ns() > until_ns || to_.budget.check_time()) break;
    if (!open_with(content, password)) continue;
    to_.passwords.prefer(password);
    handover_ = Handover::by_itself;  // ClamAV does not know the password
    return Opened::yes;
  }
  return Opened::no_password;
}

Unpacked PdfReader::read(std::string_view content) {
  if (open(content) == Opened::no_password) return {Unpacked::Coverage::part, "encrypted: no password fits"};
  auto objects = pdf_.getAllObjects();
  for (QPDFObjectHandle& object : objects) {
    if (to_.budget.check_time()) break;
    visit(object, 0);
  }
  for (QPDFObjectHandle& object : objects) {
    if (to_.budget.spent()) break;
    if (object.isStream() && object.getDict().getKey("/Type").isNameAndEquals("/EmbeddedFile")) {
      add_stream("embedded file " + std::to_string(++files_), object);
    }
  }
  const auto& spent = to_.budget.spent();
  return {Unpacked::Coverage::part, spent ? spent->why : ""};
}

void PdfReader::visit(QPDFObjectHandle object, int depth) {
  if (depth > kDirectDepthMax) return;
  if (object.isStream()) object = object.getDict();
  if (object.isArray()) {
    for (QPDFObjectHandle& item : object.getArrayAsVector()) {
      if (!item.isIndirect()) visit(item, depth + 1);
    }
  }
  if (!object.isDictionary()) return;
  visit_dictionary(object);
  for (const std::string& key : object.getKeys()) {
    QPDFObjectHandle value = object.getKey(key);
    if (!value.isIndirect()) visit(value, depth + 1);
  }
}

void PdfReader::visit_dictionary(QPDFObjectHandle dictionary) {
  if (dictionary.getKey("/EF").isDictionary()) add_embedded(dictionary);
  if (dictionary.hasKey("/JS")) add_script(dictionary.getKey("/JS"));
  QPDFObjectHandle uri = dictionary.getKey("/URI");
  if (uri.isString()) to_.add_link(uri.getStringValue());
}

void PdfReader::add_embedded(QPDFObjectHandle specification) {
  std::string name;
  for (const char* key : {"/UF", "/F"}) {
    QPDFObjectHandle value = specification.getKey(key);
    if (name.empty() && value.isString()) name = value.getUTF8Value();
  }
  if (name.empty()) name = "embedded file " + std::to_string(++files_);
  QPDFObjectHandle files = specification.getKey("/EF");
  for (const std::string& key : files.getKeys()) {
    QPDFObjectHandle stream = files.getKey(key);
    if (stream.isStream()) add_stream(name, stream);
  }
}

void PdfReader::add_script(QPDFObjectHandle script) {
  const std::string name = "script " + std::to_string(++scripts_) + ".js";
  if (script.isString()) add_bytes(name, script.getUTF8Value());
  if (script.isStream()) add_stream(name, script);
}

void PdfReader::add_bytes(std::string name, std::string_view bytes) {
  if (to_.budget.take_entry()) return;
  MemberBuffer buffer(to_.budget);
  Child child;
  child.name = std::move(name);
  if (const auto refused = buffer.append(bytes)) child.remark = refused->why + ": only the start was scanned";
  child.content = buffer.bytes();
  child.handover = handover_;
  to_.add(child);
}

void PdfReader::add_stream(std::string name, QPDFObjectHandle stream) {
  if (!added_.insert(stream.getObjGen()).second || to_.budget.take_entry()) return;
  MemberBuffer buffer(to_.budget);
  PdfStreamEnd end(buffer);
  Child child;
  child.name = std::move(name);
  bool attempted = false;
  const bool good = stream.pipeStreamData(&end, &attempted, 0, qpdf_dl_specialized, true);
  if (!good) child.remark = "damaged: its stream cannot be decoded as a whole";
  if (end.refused) child.remark = end.refused->why + ": only the start was scanned";
  child.content = buffer.bytes();
  child.handover = handover_;
  to_.add(child);
}

class PdfUnpacker final : public Unpacker {
 public:
  Unpacked unpack(const Container& container, Unpacking& to) override {
    if (container.content.substr(0, kHeadBytesSearched).find("%PDF-") == std::string_view::npos) return {};
    try {
      return PdfReader(to).read(container.content);
    } catch (const std::exception& error) {
      const std::string_view text = error.what();
      return {Unpacked::Coverage::part, "pdf: " + base::escape_invalid_utf8(text.substr(0, kPdfTextBytesMax))};
    }
  }
};

}  // namespace

std::unique_ptr<Unpacker> open_pdf_unpacker() { return std::make_unique<PdfUnpacker>(); }

}  // namespace redoubt::scan
