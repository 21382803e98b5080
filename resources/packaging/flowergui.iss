; Inno Setup's recipe of an installer for Windows from the folder that PyInstaller made there.
; Untested. In the root of the checkout: iscc /DVersion=0.1.0 resources\packaging\flowergui.iss
[Setup]
AppId={{5C1E1E0B-5D0C-4B51-9A34-6E7F0F2B7D51}
AppName=Flowergui
AppVersion={#Version}
SourceDir=..\..
OutputDir=dist
OutputBaseFilename=flowergui-{#Version}-windows
DefaultDirName={autopf}\flowergui
; For this user alone, so that no administrator is needed in a school.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
DisableProgramGroupPage=yes
UninstallDisplayIcon={app}\flowergui-window.exe
WizardStyle=modern
Compression=lzma2
SolidCompression=yes
; For a certificate: SignTool=signtool, and iscc /Ssigntool="signtool sign /fd sha256 /tr URL $f"

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"

[InstallDelete]
; An older version's libraries would be found beside the new ones.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "dist\flowergui\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{autoprograms}\Flowergui"; Filename: "{app}\flowergui-window.exe"

[Run]
Filename: "{app}\flowergui-window.exe"; Description: "{cm:LaunchProgram,Flowergui}"; Flags: nowait postinstall skipifsilent
