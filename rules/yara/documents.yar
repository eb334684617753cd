rule PDF_Runs_JavaScript_On_Open {
  meta:
    description = "PDF that runs JavaScript as soon as it is opened"
    importance = "medium"
  strings:
    $open = "/OpenAction"
    $additional = /\/AA\s*<</
    $script = /\/S\s*\/JavaScript/
    $code = /\/JS\s*[(<0-9]/
  condition:
    uint32(0) == 0x46445025 and any of ($open, $additional) and any of ($script, $code)
}

rule PDF_Launches_Program {
  meta:
    description = "PDF that starts a program"
    importance = "high"
  strings:
    $launch = /\/S\s*\/Launch/
    $file = /\/(F|Win|Unix)\s*[(<]/
  condition:
    uint32(0) == 0x46445025 and all of them
}

rule Office_Macro_Runs_Program {
  meta:
    description = "Office document whose macro starts by itself and runs a program"
    importance = "high"
  strings:
    $project = "VBA" wide ascii
    $auto = /\b(Auto_?(Open|Exec|Close)|Document_(Open|Close)|Workbook_(Open|Activate))\b/ nocase wide ascii
    $shell = /\b(Shell\s*\(|Shell\s+"|WScript\.Shell|ShellExecute|CreateObject\s*\(\s*"Shell)/ nocase wide ascii
    $process = "Win32_Process" nocase wide ascii
    $powershell = "powershell" nocase wide ascii
  condition:
    // OLE compound file, or the text of a macro
    (uint32(0) == 0xE011CFD0 or uint32be(0) == 0x41747472) and ($project or $auto) and $auto and
    any of ($shell, $process, $powershell)
}
